//! The fence: programs around v2's cgroup that keep its own calls in, or report those that would leave.
//!
//! A call is judged by the address that the process names, before a service address is translated, and before a packet is
//! made. Connections that were open before, raw and packet sockets, and protocols other than TCP and UDP are not judged.

pub mod cgroup;
pub mod object;
pub mod probe;
pub mod proposal;
mod said;
pub mod table;
pub mod target;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mirror_common::fence::{mode, slot};

use crate::config::{self, FenceMode};
use crate::status;
use cgroup::Cgroup;
use object::{Attached, settings};
use proposal::Unknown;

/// Ourselves, even after the file has been replaced.
const OWN_BINARY: &str = "/proc/self/exe";

/// A fence in force. Dropping it takes it off; so does the end of this process, however it ends.
pub struct Fence {
    config: config::Fence,
    /// Where the cgroup was at the start. Whatever stands there later must be fenced too, or the fence is lost.
    path: PathBuf,
    probe: PathBuf,
    targets: [SocketAddr; 2],
    v2: Attached,
    v1: Option<Attached>,
    /// One test at a time: they share the counters of probes.
    testing: Mutex<()>,
    last: Mutex<Option<Test>>,
}

/// That the fence holds, as of the end of a self-test.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// How long the self-test took.
    pub took: Duration,
}

/// That it could not be proven that the fence holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why, in one line.
    pub reason: String,
}

/// The last self-test.
struct Test {
    at: Instant,
    lost: Option<Lost>,
}

impl Fence {
    /// Puts a fence in force; it is not proven yet. `service` is for the log.
    ///
    /// # Errors
    ///
    /// When a cgroup is not there or is none of version 2, or the kernel or our rights do not allow it. Nothing is
    /// attached then.
    pub fn start(service: &str, config: &config::Fence) -> Result<Fence> {
        let cgroup = Cgroup::open(&config.cgroup)?;
        let v1_cgroup = config.v1_cgroup.as_deref().map(Cgroup::open).transpose()?;
        let targets = target::choose(&config.allow)
            .context("the allow list covers every address that is kept for documentation: none is left to test the fence with")?;
        let (mode, what) = match config.mode {
            FenceMode::Deny => (mode::DENY, format!("the fence of {service} denied a call")),
            FenceMode::Report => (mode::REPORT, format!("the fence of {service} would have denied a call")),
        };
        let v2 = Attached::new(&cgroup, &config.allow, settings(mode, targets), &what)?;
        let count =
            |cgroup: &Cgroup| Attached::new(cgroup, &config.allow, settings(mode::COUNT, targets), "");
        let v1 = v1_cgroup.as_ref().map(count).transpose()?;
        Ok(Fence {
            config: config.clone(),
            path: cgroup.path,
            probe: OWN_BINARY.into(),
            targets,
            v2,
            v1,
            testing: Mutex::default(),
            last: Mutex::default(),
        })
    }

    /// With another binary than this one to probe with: for programs that are not the agent.
    #[must_use]
    pub fn with_probe(self, program: &Path) -> Fence {
        Fence { probe: program.to_owned(), ..self }
    }

    /// Tests the fence by calls from inside the cgroup, which must fail. It waits for a process: 2 s at most, usually a
    /// hundredth of that. Of two at once the second waits for the first.
    ///
    /// # Errors
    ///
    /// When it is lost, or could not be tested: either way v2 may be calling anybody.
    pub fn prove(&self) -> Result<Proof, Lost> {
        let _one_at_a_time = lock(&self.testing);
        let started = Instant::now();
        let result = self.test().map_err(|reason| Lost { reason });
        *lock(&self.last) = Some(Test { at: Instant::now(), lost: result.clone().err() });
        result.map(|()| Proof { took: started.elapsed() })
    }

    fn test(&self) -> Result<(), String> {
        let before = self.v2.probes();
        let answers = probe::run(&self.probe, &self.path, self.targets)?;
        let after = self.v2.probes();
        probe::verdict(&answers, std::array::from_fn(|hook| after[hook] - before[hook]))
    }

    /// The calls by destination, in the order of the list; the last is `other`.
    pub fn counts(&self) -> Vec<status::Destination> {
        let named = (0..).zip(&self.config.allow).map(|(slot, one)| self.count(&one.name, slot));
        named.chain([self.count(status::OTHER_DESTINATION, slot::OTHER)]).collect()
    }

    fn count(&self, name: &str, slot: u32) -> status::Destination {
        let v2 = self.v2.count(slot);
        status::Destination {
            name: name.to_owned(),
            v2_allowed: v2.allowed,
            v2_denied: v2.denied,
            v1: self.v1.as_ref().map(|v1| v1.count(slot).allowed),
        }
    }

    /// The destinations that the list does not cover: what v2 called, then what v1 did.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn unknown(&self) -> Result<Vec<Unknown>> {
        let mut all = self.v2.unknown()?;
        if let Some(v1) = &self.v1 {
            all.extend(v1.unknown()?);
        }
        Ok(all)
    }

    /// Lines for the config that would allow what the list does not cover and v2 or v1 called.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn proposal(&self) -> Result<String> {
        let taken: Vec<_> = self.config.allow.iter().map(|one| one.name.as_str()).collect();
        Ok(proposal::text(&self.unknown()?, &taken))
    }

    /// How it stands, for status and metrics.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn status(&self) -> Result<status::Fence> {
        let destinations = self.counts();
        let unknown = self.unknown()?.len() as u64;
        let last = lock(&self.last);
        Ok(status::Fence {
            mode: self.config.mode.as_str().to_owned(),
            proven: last.as_ref().is_some_and(|test| test.lost.is_none()),
            tested_s_ago: last.as_ref().map(|test| test.at.elapsed().as_secs_f64()),
            lost: last.as_ref().and_then(|test| test.lost.as_ref()).map(|lost| lost.reason.clone()),
            destinations,
            unknown,
        })
    }
}

/// Puts a fence around a cgroup that is made for it and holds nothing, and proves it. Nothing of it stays.
///
/// # Errors
///
/// When there can be no fence here.
pub fn try_out() -> Result<Proof> {
    let room = probe::Room::make(&cgroup::mount()?).map_err(anyhow::Error::msg)?;
    let allow = Vec::new();
    let config =
        config::Fence { cgroup: room.path().to_owned(), mode: FenceMode::Deny, v1_cgroup: None, allow };
    Ok(Fence::start("check", &config)?.prove()?)
}

/// A panic elsewhere does not make what is behind a lock wrong: it is written whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Lost {}
