//! The config is read again: what can change while it runs takes effect at once, or nothing does.

use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};

use super::Agent;
use crate::config::{Config, Service};

impl Agent {
    /// Reads flags and file again, and puts shares, rules, rings and caps in force. What `share` has set since is set as
    /// the file says.
    ///
    /// # Errors
    ///
    /// All that is wrong with the file, or the keys that need a restart, or a kernel that refuses. The old config stays.
    pub fn reload(&self) -> Result<()> {
        let _one_at_a_time = self.targeting.begin_change();
        let result = self.read_and_apply();
        let reloads = &self.targeting.reloads;
        match &result {
            Ok(changes) if changes.is_empty() => tracing::info!("reloaded: nothing has changed"),
            Ok(changes) => tracing::info!("reloaded: {}", changes.join(", ")),
            Err(error) => {
                let why = format!("{error:#}");
                why.lines().for_each(|line| tracing::warn!("not reloaded, the old config stays: {line}"));
            }
        }
        let count = if result.is_ok() { &reloads.success } else { &reloads.refused };
        count.fetch_add(1, Ordering::Relaxed);
        reloads.last_refused.store(result.is_err(), Ordering::Relaxed);
        result.map(|_| ())
    }

    /// Returns what has changed.
    fn read_and_apply(&self) -> Result<Vec<String>> {
        let load = self
            .targeting
            .load
            .as_ref()
            .context("it was started without --config: there is no file to reload")?;
        let mut new = load()?;
        let old = self.targeting.config().clone();
        let keys = fixed(&old, &new);
        if !keys.is_empty() {
            bail!("needs a restart: {}", keys.join(", "));
        }
        for (old, new) in old.services.iter().zip(&mut new.services).filter(|(old, _)| !old.ramp.is_empty()) {
            new.share = old.share; // where the ramp is
        }
        let changes = changes(&old, &new);
        for service in self.services.iter() {
            let index = usize::from(service.index);
            if let (Some(old), Some(new)) = (old.services.get(index), new.services.get(index))
                && goes_on(old, new)
            {
                self.rejoin(service);
            }
        }
        self.apply(&new)?;
        let mut stopped = self.targeting.stopped();
        stopped.retain(|name, _| self.kernel.rules().ring(name).is_some());
        drop(stopped);
        *self.targeting.config() = new;
        Ok(changes)
    }

    /// Puts it into the kernel. Slots that another rule takes begin to count anew.
    fn apply(&self, new: &Config) -> Result<()> {
        let table = |service: &crate::service::Service| self.kernel.rules().table(service.index);
        let before: Vec<_> = self.services.iter().map(|service| table(service)).collect();
        self.kernel.replace_rules(&new.services)?;
        for (service, before) in self.services.iter().zip(before) {
            let after = table(service);
            for (slot, (old, new)) in (0u8..).zip(before.rules.iter().zip(&after.rules)) {
                if old.generation != new.generation {
                    let count = self.kernel.counts.rule(service.index, slot)?;
                    self.targeting.begin_slot(service.index, slot, count);
                }
            }
        }
        Ok(())
    }
}

/// The keys whose values differ and cannot change at run time.
fn fixed(old: &Config, new: &Config) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = |differs: bool, key: &str| {
        if differs {
            keys.push(key.to_owned());
        }
    };
    key(old.interfaces != new.interfaces, "interfaces");
    key(old.shadow_interface != new.shadow_interface, "shadow_interface");
    key(old.listen != new.listen, "listen");
    key(old.control != new.control, "control");
    key(old.summary != new.summary, "summary");
    key(old.differences != new.differences, "differences");
    key(old.workers != new.workers, "workers");
    key(old.transit != new.transit, "transit");
    key(old.guards != new.guards, "guards, preflight and state");
    let names = |config: &Config| config.services.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    if names(old) != names(new) {
        key(true, "services (which there are, and their order)");
        return keys;
    }
    keys.extend(old.services.iter().zip(&new.services).flat_map(|(old, new)| fixed_of(old, new)));
    keys
}

fn fixed_of(old: &Service, new: &Service) -> Vec<String> {
    let differing = [
        (old.v1 != new.v1, "v1"),
        (old.v2 != new.v2, "v2"),
        (old.request_share != new.request_share, "request_share"),
        (old.methods != new.methods, "methods"),
        (old.paths != new.paths, "paths"),
        ((&old.ignored_headers, &old.ignored_paths) != (&new.ignored_headers, &new.ignored_paths), "ignore"),
        ((&old.hiding, &old.keys, &old.routes) != (&new.hiding, &new.keys, &new.routes), "compare"),
        (old.redact != new.redact, "redact"),
        (old.limits != new.limits, "limits"),
        (old.thresholds != new.thresholds, "thresholds"),
        (old.judge != new.judge, "judge and second_answers"),
        ((old.v2_role, old.split) != (new.v2_role, new.split), "v2_role and split"),
        (old.slo != new.slo, "slo"),
        (old.guards != new.guards, "guards"),
        (old.ramp != new.ramp, "ramp"),
        (old.fence != new.fence, "fence"),
        (old.probes != new.probes, "probes"),
    ];
    let differing = differing.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, key)| format!("{key} of service {}", new.name)).collect()
}

/// For the log: what takes effect.
fn changes(old: &Config, new: &Config) -> Vec<String> {
    let mut changes = Vec::new();
    if old.rings != new.rings {
        changes.push("rings".to_owned());
    }
    for (old, new) in old.services.iter().zip(&new.services) {
        if old.share != new.share {
            changes.push(format!("share of {} from {} to {}", new.name, old.share, new.share));
        }
        if old.rules != new.rules {
            changes.push(format!("rules of {}", new.name));
        }
        if old.caps != new.caps {
            changes.push(format!("kernel_caps of {}", new.name));
        }
    }
    changes
}

/// Whether open connections that were not cloned for a while will be again: those of a rule that stays and had no share.
fn goes_on(old: &Service, new: &Service) -> bool {
    let had_none = |rule: &crate::config::Rule| {
        let same = |other: &&crate::config::Rule| {
            other.ring == rule.ring && (rule.ring.is_some() || other.clients == rule.clients)
        };
        rule.share.ppm() == 0 && new.rules.iter().filter(same).any(|other| other.share.ppm() > 0)
    };
    old.share.ppm() == 0 && new.share.ppm() > 0 || old.rules.iter().any(had_none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Draft;

    const FILE: &str = "\
interfaces: [eth0]
rings:
  team: {clients: [10.1.0.0/16]}
services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.5:80
    share: 5%
    rules: [{ring: team, share: 0%}]
";

    fn read(text: &str) -> Config {
        Config::build(Draft::default(), Some(("c", text))).unwrap()
    }

    #[test]
    fn what_cannot_change_is_named() {
        let cases = [
            ("[eth0]", "[eth1]", "interfaces"),
            ("[eth0]", "[eth0]\nworkers: 7", "workers"),
            ("name: a", "name: b", "services (which there are, and their order)"),
            ("10.0.0.4:80", "10.0.0.4:81", "v1 of service a"),
            (
                "share: 5%",
                "share: 5%\n    paths: [/x]\n    thresholds: [1s]",
                "paths of service a, thresholds of service a",
            ),
            ("share: 5%", "share: 6%\n    kernel_caps: {connections: 4}", ""),
            ("share: 0%", "share: 6%", ""),
        ];
        for (old, new, keys) in cases {
            assert_eq!(fixed(&read(FILE), &read(&FILE.replace(old, new))).join(", "), keys, "{new}");
        }
    }

    #[test]
    fn what_changes_is_said() {
        let new = read(&FILE.replace("share: 5%", "share: 6%").replace("10.1.0.0/16", "10.2.0.0/16"));
        assert_eq!(changes(&read(FILE), &new).join(", "), "rings, share of a from 5% to 6%, rules of a");
        assert!(changes(&read(FILE), &read(FILE)).is_empty());
    }

    #[test]
    fn a_rule_that_had_no_share_and_gets_one_goes_on() {
        let service = |text: &str| read(text).services.remove(0);
        let old = service(FILE);
        assert!(goes_on(&old, &service(&FILE.replace("share: 0%", "share: 1%"))));
        assert!(!goes_on(&old, &service(&FILE.replace("share: 5%", "share: 1%"))));
        assert!(!goes_on(
            &old,
            &service(&FILE.replace("{ring: team, share: 0%}", "{ports: [7], share: 1%}"))
        ));
    }
}
