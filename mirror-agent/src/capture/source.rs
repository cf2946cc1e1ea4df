//! Where the frames come from: the kernel's copies, read from the ring at the end of the shadow interface.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mirror_common::count::Skip;
use mirror_common::flow::{Endpoint, role};
use mirror_common::policy::ServicePolicy;

use super::asked::Wanted;
use super::tally::Tally;
use crate::cli::Capture;
use crate::config::Share;
use crate::intake::ring::{Ring, RingFrame};
use crate::kernel::lease::Lease;
use crate::kernel::pulse::Pulse;
use crate::kernel::shadow::Shadow;
use crate::kernel::{Kernel, interface};
use crate::packet::FlowKey;

/// The only service of a capture.
const SERVICE: u8 = 0;
/// How often idle connections leave the kernel's flow table.
const SWEEP: Duration = Duration::from_secs(30);
/// A ring without a frame for this long after the taps are gone is empty: a block is handed over after 8 ms at most.
const QUIET: Duration = Duration::from_millis(100);
/// A foreign shadow interface may never be quiet.
const DRAIN: Duration = Duration::from_secs(2);

/// The taps and what comes from them. The fields go in this order.
pub(super) struct Source {
    ring: Ring,
    lease: Option<Lease>,
    shadow: Shadow,
    _sweeper: Pulse,
    kernel: Arc<Kernel>,
    /// What the shadow interface had dropped before us.
    dropped_before: u64,
    tally: Tally,
}

impl Source {
    /// Makes everything but the taps, with a share of nothing: no packet is touched yet.
    ///
    /// # Errors
    ///
    /// When the kernel refuses one of the steps; what was made by then is gone again.
    pub(super) fn prepare(args: &Capture) -> Result<Source> {
        let kernel = Arc::new(Kernel::load()?);
        match Wanted::by(args).endpoint() {
            Some(address) => kernel.add_endpoint(address, primary())?,
            None => kernel.control.set_everything(true),
        }
        kernel.set_policy(SERVICE, ServicePolicy::default())?;
        let shadow = kernel.shadow(args.shadow_interface.as_ref(), &wanted_port(args))?;
        let ring = shadow.at_reading_end(|name, outgoing| Ring::open(name, outgoing, None))?;
        let swept = Arc::clone(&kernel);
        let sweep = move || {
            let _ = swept.flows().sweep(); // nobody asks a capture how many
        };
        let sweeper = Pulse::start("sweep", SWEEP, sweep)?;
        let lease = Some(Lease::take(&kernel.control, || {})?);
        let dropped_before = shadow.dropped();
        Ok(Source { ring, lease, shadow, _sweeper: sweeper, kernel, dropped_before, tally: Tally::default() })
    }

    /// Taps the interfaces, and asks for `share` when all of them are: a connection that begins while only some hooks are
    /// tapped is left out as a whole, because the share is decided at its first packet.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub(super) fn tap(&self, interfaces: &[String], share: Share) -> Result<()> {
        for name in interfaces {
            self.kernel.tap(name).with_context(|| format!("tap {name}"))?;
        }
        self.kernel.set_policy(SERVICE, ServicePolicy::of_share(share.ppm()))
    }

    /// How taps are attached here.
    pub(super) fn mechanism(&self) -> &'static str {
        self.kernel.mechanism.as_str()
    }

    /// Reads a block of frames, or waits for one for `at_most`. `each` is told whom to ask for a connection's owners.
    ///
    /// # Errors
    ///
    /// When the ring is gone.
    pub(super) fn read(
        &mut self,
        at_most: Duration,
        mut each: impl FnMut(&RingFrame<'_>, &dyn Fn(&FlowKey) -> [u32; 2]),
    ) -> Result<bool> {
        let kernel = &self.kernel;
        let owners = |key: &FlowKey| kernel.flows().owners(key.client, key.server).unwrap_or([0; 2]);
        match self.ring.read_block(|frame| each(frame, &owners)) {
            Some(read) => {
                self.tally.read += read;
                Ok(true)
            }
            None => self.ring.wait(at_most).map(|()| false),
        }
    }

    /// Where the packets went so far.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to tell, or the shadow interface is gone.
    pub(super) fn tally(&mut self) -> Result<Tally> {
        if interface::index(&self.shadow.name) != Ok(self.shadow.index) {
            bail!("the shadow interface {} is gone", self.shadow.name);
        }
        let counts = self.kernel.counts.service(SERVICE)?;
        let link_dropped = self.shadow.dropped().saturating_sub(self.dropped_before);
        let full = self.kernel.counts.skips()?.packets[Skip::FlowTableFull as usize];
        self.tally.lost.ring += self.ring.take_dropped();
        self.tally.count(&counts, link_dropped, full);
        Ok(self.tally)
    }

    /// Takes the taps off, reads what they have copied, and returns where every packet went.
    ///
    /// # Errors
    ///
    /// As [`Source::read`] and [`Source::tally`].
    pub(super) fn stop(
        &mut self,
        mut each: impl FnMut(&RingFrame<'_>, &dyn Fn(&FlowKey) -> [u32; 2]),
    ) -> Result<Tally> {
        self.kernel.untap();
        let end = Instant::now() + DRAIN;
        let mut quiet = Instant::now() + QUIET;
        while Instant::now() < quiet.min(end) {
            if self.read(QUIET / 10, &mut each)? {
                quiet = Instant::now() + QUIET;
            } else if self.shadow.is_own() && self.tally()?.outstanding() == 0 {
                break;
            }
        }
        self.lease = None;
        self.tally()
    }
}

fn wanted_port(args: &Capture) -> Vec<u16> {
    args.v1.map(|v1| v1.port()).or(args.port).into_iter().collect()
}

fn primary() -> Endpoint {
    Endpoint { service: SERVICE, version: 0, role: role::PRIMARY, zero: 0 }
}
