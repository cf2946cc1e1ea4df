//! Keeps packages from starting the services that they bring: the tests start their own nginx and Prometheus.
//!
//! Debian asks `/usr/sbin/policy-rc.d` before it starts a service; 101 means no. Ours is there only while we install.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::exec::exec;

const POLICY: &str = "/usr/sbin/policy-rc.d";
const TEXT: &str = "#!/bin/sh\n# Made by `cargo xtask setup` of mirror-agent while it installs; remove it if you find it.\nexit 101\n";

/// Packages that bring a service that would start at the next boot.
const SERVICES: [(&str, &str); 2] = [("nginx-light", "nginx.service"), ("prometheus", "prometheus.service")];

/// While this lives no service is started, and a Ctrl-C ends what we run and not us, so that we can clean up.
pub(super) struct NoServices {
    ours: bool,
    signals: Vec<SigId>,
    brought: Vec<&'static str>,
}

impl NoServices {
    /// For the installation of these packages.
    pub(super) fn begin(packages: &[&str]) -> Result<NoServices> {
        let ignore = |signal| signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
        let signals = [SIGINT, SIGTERM].map(ignore).into_iter().collect::<Result<_, _>>()?;
        let ours = match fs::read_to_string(POLICY) {
            Ok(text) => text == TEXT, // left by one of us that was killed
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        if ours {
            fs::write(POLICY, TEXT)
                .and_then(|()| fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)))
                .with_context(|| format!("write {POLICY}"))?;
        }
        let brings = |(package, service)| packages.contains(&package).then_some(service);
        Ok(NoServices { ours, signals, brought: SERVICES.into_iter().filter_map(brings).collect() })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours && fs::remove_file(POLICY).is_err() {
            eprintln!("cannot remove {POLICY}: remove it yourself, or no service will start");
        }
        if !self.brought.is_empty() && Path::new("/run/systemd/system").exists() {
            let disabled = exec(Command::new("systemctl").args(["disable", "--quiet"]).args(&self.brought));
            disabled.unwrap_or_else(|error| eprintln!("these will start at the next boot: {error:#}"));
        }
        self.signals.drain(..).for_each(|signal| {
            signal_hook::low_level::unregister(signal);
        });
    }
}
