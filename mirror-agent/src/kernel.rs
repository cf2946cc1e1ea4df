//! The kernel side as the agent sees it: verbs, not maps.

pub mod attach;
pub mod caps;
pub mod chain;
pub mod claim;
pub mod clock;
pub mod control;
pub mod cost;
pub mod counts;
pub mod events;
pub mod fence;
pub mod flows;
pub mod forward;
pub mod histograms;
pub mod interface;
pub mod lease;
pub mod leftover;
pub mod links;
mod mapped;
pub mod namespace;
pub mod netlink;
pub mod news;
pub mod object;
pub mod pulse;
pub mod relay;
pub mod rules;
pub mod shadow;
pub mod stats;
pub mod taps;
pub mod tunnel;
pub mod wanted;
pub mod warn;
pub mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::maps::{Array, HashMap, MapData};
use mirror_common::flow::{Endpoint, EndpointKey, TCP, UDP};
use mirror_common::limits::{ENDPOINTS, FLOWS};
use mirror_common::policy::ServicePolicy;

use crate::config::OnDisplaced;
use attach::{Mechanism, Vantage};
use caps::Buckets;
use control::Control;
use counts::Counts;
use events::Events;
use flows::Flows;
use histograms::Histograms;
use news::Heard;
use rules::Rules;
use shadow::Shadow;
use taps::changes::Changes;
use taps::{Sharing, Taps};
use wanted::Wanted;

use crate::config::ShadowInterface;
use crate::status;

use crate::config::Service;

/// The loaded programs and everything that hangs on them. Dropping it detaches every tap.
pub struct Kernel {
    /// The words that steer every program.
    pub control: Arc<Control>,
    /// The packet and turn counters.
    pub counts: Counts,
    /// The latency histograms.
    pub histograms: Histograms,
    /// The open mirrored connections.
    pub buckets: Arc<Buckets>,
    /// How taps are attached here.
    pub mechanism: Mechanism,
    taps: Mutex<Taps>,
    /// The last look at the taps failed, which was said.
    is_blind: AtomicBool,
    flows: Mutex<Flows>,
    events: Mutex<Events>,
    policies: Mutex<Array<MapData, ServicePolicy>>,
    rules: Mutex<Rules>,
    endpoints: Mutex<HashMap<MapData, EndpointKey, Endpoint>>,
    object: Mutex<Ebpf>,
}

impl Kernel {
    /// Loads the programs and finds out how to attach them. Nothing touches a packet yet.
    ///
    /// # Errors
    ///
    /// When the kernel or our rights do not allow it.
    pub fn load() -> Result<Self> {
        let mut object = object::load()?;
        let mechanism = attach::probe(&mut object)?;
        Self::of(object, mechanism)
    }

    /// The same with a given way to attach, which this kernel must have.
    ///
    /// # Errors
    ///
    /// When the kernel or our rights do not allow it.
    pub fn load_as(mechanism: Mechanism) -> Result<Self> {
        Self::of(object::load()?, mechanism)
    }

    fn of(mut object: Ebpf, mechanism: Mechanism) -> Result<Self> {
        let control = Arc::new(Control::new(control::take_map(&mut object, "CONTROL")?)?);
        let histograms = Histograms::new(control::take_map(&mut object, "HISTOGRAMS")?)?;
        let counts = Counts::new(&mut object)?;
        let buckets = Arc::new(Buckets::new(control::take_map(&mut object, "BUCKETS")?)?);
        let flows = Flows::new(&mut object, buckets.clone())?;
        let events = Events::new(&mut object)?;
        let rules = Rules::new(&mut object)?;
        let mut take =
            |name: &str| object.take_map(name).with_context(|| format!("no kernel map {name} in this build"));
        let policies = take("POLICIES")?.try_into()?;
        let endpoints = take("ENDPOINTS_BY_KEY")?.try_into()?;
        Ok(Kernel {
            taps: Mutex::new(Taps::new(mechanism, control.clone())),
            control,
            counts,
            histograms,
            buckets,
            mechanism,
            is_blind: AtomicBool::new(false),
            flows: Mutex::new(flows),
            events: Mutex::new(events),
            policies: Mutex::new(policies),
            rules: Mutex::new(rules),
            endpoints: Mutex::new(endpoints),
            object: Mutex::new(object),
        })
    }

    /// Makes an endpoint known, for TCP and UDP.
    ///
    /// # Errors
    ///
    /// When the table is full.
    pub fn add_endpoint(&self, address: SocketAddr, endpoint: Endpoint) -> Result<()> {
        let any = address.ip().is_unspecified();
        if any {
            self.control.set_any_address(true);
        }
        self.control.add_port(address.port());
        for protocol in [TCP, UDP] {
            let ip = if any { [0; 4] } else { flows::to_address(address.ip()) };
            let key = EndpointKey { address: ip, port: address.port().to_be(), protocol, zero: 0 };
            lock(&self.endpoints)
                .insert(key, endpoint, 0)
                .with_context(|| format!("tell the kernel of endpoint {address}"))?;
        }
        Ok(())
    }

    /// Sets how a service is mirrored, from the next packet on.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the write.
    pub fn set_policy(&self, service: u8, policy: ServicePolicy) -> Result<()> {
        lock(&self.policies).set(service.into(), policy, 0).context("write a service's policy")
    }

    /// Changes how a service is mirrored, from the next packet on; of two that change it at once, neither is lost.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn change_policy(&self, service: u8, act: impl FnOnce(&mut ServicePolicy)) -> Result<()> {
        let mut policies = lock(&self.policies);
        let mut policy = policies.get(&service.into(), 0).context("read a service's policy")?;
        act(&mut policy);
        policies.set(service.into(), policy, 0).context("write a service's policy")
    }

    /// Puts shares, rules and caps of all services (by index) in force, each service's rules at once. A ring that no
    /// rule names any more is no longer killed.
    ///
    /// # Errors
    ///
    /// When the kernel refuses: then the old rules stay.
    pub fn replace_rules(&self, services: &[Service]) -> Result<()> {
        let change = |index, act: &dyn Fn(&mut ServicePolicy)| self.change_policy(index, act);
        let gone = lock(&self.rules).replace(services, change, caps::set)?;
        gone.into_iter().for_each(|ring| self.control.set_ring_killed(ring, false));
        Ok(())
    }

    /// The rules in force.
    pub fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }

    /// How a service is mirrored now.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn policy(&self, service: u8) -> Result<ServicePolicy> {
        lock(&self.policies).get(&service.into(), 0).context("read a service's policy")
    }

    /// Removes what a killed predecessor left on an interface, then taps it; beside another agent where that can be.
    ///
    /// # Errors
    ///
    /// When the kernel refuses; the interface is as it was then.
    pub fn tap(&self, interface: &str) -> Result<()> {
        let mut taps = lock(&self.taps);
        let result = taps.tap(&mut lock(&self.object), interface, Sharing::Beside);
        self.control.set_several_interfaces(taps.interfaces() > 1);
        result
    }

    /// Taps what is wanted and there, each interface alone. [`Kernel::look`] keeps it so.
    ///
    /// # Errors
    ///
    /// When an interface that was named cannot be tapped, or one of them belongs to another agent, which is named.
    pub fn want(&self, wanted: Wanted, on_displaced: OnDisplaced) -> Result<()> {
        let mut taps = lock(&self.taps);
        let result = taps.want(&mut lock(&self.object), wanted, on_displaced);
        self.control.set_several_interfaces(taps.interfaces() > 1);
        result
    }

    /// Follows the interfaces if they have changed, and reads back where the taps stand. Returns whether there is more
    /// to do at once.
    pub fn look(&self, heard: Heard) -> bool {
        let result = self.look_at_taps(heard);
        let was_blind = self.is_blind.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(lost) if lost.is_empty() => {}
            Ok(lost) => {
                let freed = self.flows().disown(&lost);
                tracing::debug!(?lost, freed, "connections that lost their vantage may have another");
            }
            Err(_) if was_blind => {}
            Err(error) => tracing::error!("cannot look after the taps: {error:#}"),
        }
        lock(&self.taps).has_more()
    }

    fn look_at_taps(&self, heard: Heard) -> Result<Vec<flows::Lost>> {
        let (mut taps, mut object) = (lock(&self.taps), lock(&self.object));
        if heard.overrun {
            taps.note_overrun();
        }
        let mut lost = Vec::new();
        if heard.links || taps.is_due() {
            lost = taps.follow(&mut object)?;
            self.control.set_several_interfaces(taps.interfaces() > 1);
        }
        lost.extend(taps.check(&mut object)?);
        Ok(lost)
    }

    /// Takes every tap off.
    pub fn untap(&self) {
        lock(&self.taps).clear();
    }

    /// Where each attached tap is.
    pub fn taps(&self) -> Vec<Vantage> {
        lock(&self.taps).vantages()
    }

    /// What has changed at the taps so far.
    pub fn tap_changes(&self) -> Changes {
        lock(&self.taps).changes()
    }

    /// Makes the shadow interface and tells the programs of it. `services` are the ports of all services.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or the named one does not exist.
    pub fn shadow(&self, wanted: Option<&ShadowInterface>, services: &[u16]) -> Result<Shadow> {
        let shadow = match wanted {
            Some(ShadowInterface::Existing(name)) => {
                interface::require(name)?;
                Shadow::existing(name)?
            }
            Some(ShadowInterface::Tunnel(tunnel)) => Shadow::with_tunnel(self.mechanism, tunnel, services)?,
            None => Shadow::create(&mut lock(&self.object), self.mechanism)?,
        };
        self.control.set_shadow_interface(shadow.index);
        Ok(shadow)
    }

    /// What the programs tell at once.
    pub fn events(&self) -> MutexGuard<'_, Events> {
        lock(&self.events)
    }

    /// Entries of the flow table, from the books: counted without a look at the table.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn entries(&self) -> Result<u64> {
        let (opened, closed) = self.counts.entries()?;
        Ok(opened.saturating_sub(closed + self.flows().gone().entries()))
    }

    /// Our programs, each with its name in the kernel, to be measured.
    ///
    /// # Errors
    ///
    /// When the process may open no more files.
    pub fn programs(&self) -> Result<Vec<(&'static str, OwnedFd)>> {
        let mut object = lock(&self.object);
        let has_raw = object::has_raw(&mut object);
        let mut copy = |name| {
            let program = object::program(&mut object, name)?;
            Ok((name, program.fd()?.as_fd().try_clone_to_owned().context("copy a descriptor")?))
        };
        let mut names = vec![object::INGRESS, object::EGRESS, object::DRAIN];
        if has_raw {
            names.extend([object::RAW_INGRESS, object::RAW_EGRESS, object::RELAY]);
        }
        names.into_iter().map(&mut copy).collect()
    }

    /// How full the tables are.
    pub fn levels(&self) -> BTreeMap<String, status::Level> {
        let endpoints = lock(&self.endpoints).keys().count() as u64;
        let mut levels = cost::levels([("endpoints", endpoints, ENDPOINTS)]);
        if let Ok(flows) = self.entries() {
            levels.extend(cost::levels([("flows", flows, FLOWS)]));
        }
        levels
    }

    /// The flow table.
    pub fn flows(&self) -> MutexGuard<'_, Flows> {
        lock(&self.flows)
    }
}

impl Drop for Kernel {
    /// Whatever else still runs, no clone is made after this.
    fn drop(&mut self) {
        self.control.end_lease();
        self.untap();
    }
}

/// A panic elsewhere does not make the table behind a lock wrong: every write to it is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
