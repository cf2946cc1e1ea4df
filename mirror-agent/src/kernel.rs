//! The kernel side as the agent sees it: verbs, not maps.

pub mod attach;
pub mod caps;
pub mod clock;
pub mod control;
pub mod counts;
pub mod flows;
pub mod histograms;
pub mod interface;
pub mod lease;
pub mod leftover;
mod mapped;
pub mod namespace;
pub mod object;
pub mod pulse;
pub mod rules;
pub mod shadow;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use aya::Ebpf;
use aya::maps::{Array, HashMap, MapData};
use mirror_common::flow::{Endpoint, EndpointKey, TCP, UDP};
use mirror_common::policy::ServicePolicy;

use attach::{Mechanism, Tap, Vantage};
use caps::Buckets;
use control::Control;
use counts::Counts;
use flows::Flows;
use histograms::Histograms;
use rules::Rules;
use shadow::Shadow;

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
    taps: Mutex<Vec<Tap>>,
    flows: Mutex<Flows>,
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
        let control = Control::new(control::take_map(&mut object, "CONTROL")?)?;
        let histograms = Histograms::new(control::take_map(&mut object, "HISTOGRAMS")?)?;
        let counts = Counts::new(&mut object)?;
        let buckets = Arc::new(Buckets::new(control::take_map(&mut object, "BUCKETS")?)?);
        let flows = Flows::new(&mut object, buckets.clone())?;
        let rules = Rules::new(&mut object)?;
        let mut take =
            |name: &str| object.take_map(name).with_context(|| format!("no kernel map {name} in this build"));
        let policies = take("POLICIES")?.try_into()?;
        let endpoints = take("ENDPOINTS_BY_KEY")?.try_into()?;
        Ok(Kernel {
            control: Arc::new(control),
            counts,
            histograms,
            buckets,
            mechanism,
            taps: Mutex::default(),
            flows: Mutex::new(flows),
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

    /// Removes what a killed predecessor left on an interface, then taps it.
    ///
    /// # Errors
    ///
    /// When the kernel refuses; the interface is as it was then.
    pub fn tap(&self, interface: &str) -> Result<()> {
        interface::require(interface)?;
        leftover::sweep(interface)?;
        let taps = attach::attach(&mut lock(&self.object), interface, self.mechanism)?;
        let mut all = lock(&self.taps);
        all.extend(taps);
        self.control.set_several_interfaces(all.iter().any(|tap| tap.vantage.interface != interface));
        Ok(())
    }

    /// Takes every tap off.
    pub fn untap(&self) {
        lock(&self.taps).clear();
    }

    /// Where each attached tap is.
    pub fn taps(&self) -> Vec<Vantage> {
        lock(&self.taps).iter().map(|tap| tap.vantage.clone()).collect()
    }

    /// Makes the shadow interface and tells the programs of it.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or the named one does not exist.
    pub fn shadow(&self, existing: Option<&str>) -> Result<Shadow> {
        let shadow = match existing {
            Some(name) => {
                interface::require(name)?;
                Shadow::existing(name)?
            }
            None => Shadow::create(&mut lock(&self.object), self.mechanism)?,
        };
        self.control.set_shadow_interface(shadow.index);
        Ok(shadow)
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
