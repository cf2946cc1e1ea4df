//! The log on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::{Log, LogFormat};

/// Starts the log as the command line asks for it.
pub fn start(log: Log) {
    // Libraries speak only when they warn.
    let level = log.level().as_str();
    let filter =
        EnvFilter::new(if level == "off" { "off".into() } else { format!("warn,mirror_agent={level}") });
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match log.format() {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}
