//! Flags about the log, the same for every command.

use clap::{Args, ValueEnum};

/// How loud to be, and in which form.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Log")]
pub struct Log {
    /// Form of the log on standard error: text or json [default: text]
    #[arg(hide_possible_values = true, long = "log-format", value_name = "FORMAT", global = true)]
    pub format: Option<LogFormat>,
    /// Least level that is logged: off, error, warn, info, debug or trace [default: info]
    #[arg(hide_possible_values = true, long = "log", value_name = "LEVEL", global = true)]
    pub level: Option<LogLevel>,
    /// Log more: -v for choices (debug), -vv for each packet (trace)
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "level")]
    pub verbose: u8,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line to read
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The least level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// What ends the program
    Error,
    /// What is worth waking someone
    Warn,
    /// Changes of state
    Info,
    /// Choices
    Debug,
    /// Every packet
    Trace,
}

impl Log {
    /// The form that was asked for, or text.
    pub fn format(&self) -> LogFormat {
        self.format.unwrap_or_default()
    }

    /// The level that was asked for, or info.
    pub fn level(&self) -> LogLevel {
        match (self.level, self.verbose) {
            (Some(level), _) => level,
            (None, 0) => LogLevel::Info,
            (None, 1) => LogLevel::Debug,
            (None, _) => LogLevel::Trace,
        }
    }
}

impl LogLevel {
    /// The name, as `tracing` filters read it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Off => "off",
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}
