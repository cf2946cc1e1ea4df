//! Stopping at once, in an order that no later step can delay: no more clones, no more replays, the word, and who is told.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use mirror_common::policy::{ServicePolicy, paused};

use super::{Agent, lock, unix_time};
use crate::guard::{Breach, Reason};
use crate::service::Service;

/// How long the program that is told may take.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

impl Agent {
    /// Stops a service, or everything, until somebody says `resume`. `evidence` is the kernel's time at which it was seen.
    pub(super) fn abort(&self, service: Option<&Service>, breach: Breach, evidence: u64) {
        let name = service.map(|service| service.name.as_str());
        // Latched first: whoever looks meanwhile sees why nothing is cloned any more.
        self.latch(service, breach.clone());
        let last = match self.stop_cloning(name) {
            Ok(last) => last,
            Err(error) => return tracing::error!("cannot abort: {error:#}"),
        };
        let latency = last.saturating_sub(evidence);
        self.guarding.abort_latency_ns.store(latency, Ordering::Relaxed);
        *lock(&self.guarding.counts).entry(breach.reason).or_default() += 1;
        tracing::warn!(
            service = name.unwrap_or("all"),
            reason = %breach.reason,
            latency_us = latency / 1000,
            "aborted: {}; nothing is cloned until `resume`",
            breach.why
        );
        if let Some(program) = &self.guarding.config.on_abort {
            tell(program, name.unwrap_or("all"), &breach);
        }
    }

    fn latch(&self, service: Option<&Service>, breach: Breach) {
        let mut aborted = lock(&self.guarding.aborted);
        match service {
            None => aborted.0 = Some(breach),
            Some(service) => {
                if let Some(slot) = aborted.1.get_mut(usize::from(service.index)) {
                    *slot = Some(breach);
                }
            }
        }
    }

    /// Whether a guard has stopped a service, or everything.
    pub(super) fn is_aborted(&self, service: Option<&Service>) -> bool {
        let aborted = lock(&self.guarding.aborted);
        let of = |service: &Service| aborted.1.get(usize::from(service.index)).is_some_and(Option::is_some);
        aborted.0.is_some() || service.is_some_and(of)
    }

    /// What stopped a service, or everything.
    pub fn abort_of(&self, service: &Service) -> Option<Breach> {
        let aborted = lock(&self.guarding.aborted);
        aborted.1.get(usize::from(service.index)).cloned().flatten().or_else(|| aborted.0.clone())
    }

    /// Forgets what stopped a service, or all of them, because somebody has said so. `spend` is why the mirror may spend more
    /// of v1's error budget.
    ///
    /// # Errors
    ///
    /// When it would be stopped again at once.
    pub(in crate::agent) fn rearm(&self, chosen: &[&Service], spend: Option<&str>) -> Result<()> {
        let kill_file = &self.guarding.config.kill_file;
        if kill_file.exists() {
            bail!("not resumed: {} is there; remove it first", kill_file.display());
        }
        for service in chosen {
            let Some(mut watched) = self.guarding.watched(service) else { continue };
            if let Some(budget) = &mut watched.budget {
                if let Some(why) = spend {
                    tracing::warn!(
                        service = service.name,
                        "the mirror may spend more of v1's error budget: {why}"
                    );
                    budget.grant(why);
                }
                if budget.standing(unix_time()).is_frozen {
                    bail!(
                        "not resumed: the mirror has spent its part of the error budget of {}; say why it may spend more \
                         with --spend-budget REASON",
                        service.name
                    );
                }
            }
            watched.rearm(self.guarding.now());
        }
        let mut aborted = lock(&self.guarding.aborted);
        if chosen.len() == self.services.len() {
            aborted.0 = None;
        }
        if let Some(breach) = &aborted.0 {
            bail!(
                "not resumed: everything was stopped ({}); resume everything, without --service",
                breach.why
            );
        }
        for service in chosen {
            if let Some(slot) = aborted.1.get_mut(usize::from(service.index)) {
                *slot = None;
            }
        }
        drop(aborted);
        self.keep(true);
        Ok(())
    }

    /// Begins or ends a pause of the switchback.
    pub(super) fn set_switchback(
        &self,
        service: &Service,
        policy: &ServicePolicy,
        is_on: bool,
    ) -> Result<()> {
        let was_on = policy.paused & paused::SWITCHBACK == 0;
        if is_on == was_on {
            return Ok(());
        }
        if is_on {
            self.rejoin(service);
        }
        self.set_paused(service, paused::SWITCHBACK, !is_on)
    }

    /// v2 was found worse: a ramp falls, which is a breach as any other.
    pub(super) fn fall(&self, service: &Service, why: &str, evidence: u64) {
        self.abort(Some(service), Breach::new(Reason::V2Failed, why), evidence);
    }
}

/// Runs the operator's program: `PROGRAM SERVICE REASON`, with the breach as JSON on its standard input. It is ended when it
/// takes too long, and nothing waits for it.
fn tell(program: &Path, service: &str, breach: &Breach) {
    let mut command = Command::new(program);
    command.arg(service).arg(breach.reason.as_str()).stdin(Stdio::piped()).stdout(Stdio::null());
    let json =
        serde_json::json!({"service": service, "reason": breach.reason, "why": breach.why}).to_string();
    let (shown, run) = (program.display().to_string(), move || run(command, &json));
    let telling = std::thread::Builder::new().name("on_abort".into()).spawn(move || {
        if let Err(error) = run() {
            tracing::error!("{shown} was not told of the abort: {error:#}");
        }
    });
    if let Err(error) = telling {
        tracing::error!("nobody was told of the abort: {error}");
    }
}

fn run(mut command: Command, json: &str) -> Result<()> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(json.as_bytes()); // it need not read
    }
    let began = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("it ended with {status}"),
            None if began.elapsed() >= TOLD_WITHIN => {
                child.kill()?;
                child.wait()?;
                bail!("it took longer than {TOLD_WITHIN:?}");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
