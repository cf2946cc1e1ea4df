//! Debian packages: only those that are missing, and without starting the services that some of them bring.

mod no_services;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::exec::{exec, which};
use crate::place;
use no_services::NoServices;

/// A package, and by what we see that it (or another of the same kind) is there.
#[derive(Clone, Copy)]
pub(super) struct Package {
    name: &'static str,
    sign: Sign,
}

#[derive(Clone, Copy)]
enum Sign {
    Program(&'static str),
    File(&'static str),
}

impl Package {
    /// It is there if this program is in `PATH`.
    pub(super) const fn with_program(name: &'static str, program: &'static str) -> Package {
        Package { name, sign: Sign::Program(program) }
    }

    /// It is there if this file or directory is.
    pub(super) const fn with_file(name: &'static str, file: &'static str) -> Package {
        Package { name, sign: Sign::File(file) }
    }

    fn is_there(&self) -> bool {
        match self.sign {
            Sign::Program(program) => which(program).is_some(),
            Sign::File(file) => Path::new(file).exists(),
        }
    }
}

/// Installs those that are missing, and says which before.
pub(super) fn install(wanted: &[Package]) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|package| !package.is_there()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let command = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if which("apt-get").is_none() {
        bail!("missing, and this is no Debian to install them on: {}", missing.join(", "));
    }
    if !place::is_root() {
        bail!("missing packages; install them as root:\n  {command}");
    }
    eprintln!("installing Debian packages: {}", missing.join(" "));
    let _no_services = NoServices::begin(&missing)?;
    exec(&mut apt_get(&["update", "-qq"]))?;
    exec(apt_get(&["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
