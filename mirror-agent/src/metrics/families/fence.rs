//! Whether fences hold, and what they let through and kept in.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;

use super::{counter, family, gauge};
use crate::status::{Destination, Fence, OTHER_DESTINATION, Status};

/// Series of one family; what is over is counted as `other`.
const SERIES: usize = 256;
/// Series of one destination: v1's calls, v2's allowed and v2's denied.
const PER_DESTINATION: usize = 3;

/// Encodes these families; nothing where no service has a fence.
pub fn encode(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let fences = status.services.iter().filter_map(|one| Some((one.name.as_str(), one.fence.as_ref()?)));
    let fences: Vec<_> = fences.collect();
    if fences.is_empty() {
        return Ok(());
    }
    let help = "Whether the last self-test of a fence held; 0 too before the first";
    let mut metric = family(encoder, "mirror_fence_proven", help, MetricType::Gauge)?;
    for (service, fence) in &fences {
        gauge(&mut metric, &[("service", *service)], f64::from(u8::from(fence.proven)))?;
    }
    let help = "Calls by destination, with other for what the allow list does not cover: connections, and datagrams of \
                sockets that are not connected; where the fence only reports, denied are those that would have been";
    let mut metric = family(encoder, "mirror_fence_connections", help, MetricType::Counter)?;
    let room = SERIES / PER_DESTINATION / fences.len();
    fences.iter().try_for_each(|(service, fence)| {
        shown(fence, room).iter().try_for_each(|one| destination(&mut metric, service, one))
    })
}

fn destination(metric: &mut MetricEncoder<'_>, service: &str, one: &Destination) -> fmt::Result {
    let v2 = [("v2", "allowed", Some(one.v2_allowed)), ("v2", "denied", Some(one.v2_denied))];
    for (version, result, value) in v2.into_iter().chain([("v1", "allowed", one.v1)]) {
        let labels =
            [("service", service), ("version", version), ("destination", &*one.name), ("result", result)];
        value.map_or(Ok(()), |value| counter(metric, &labels, value))?;
    }
    Ok(())
}

/// At most `room` destinations, and at least one: those at the end of the list are added to `other`.
fn shown(fence: &Fence, room: usize) -> Vec<Destination> {
    let named = fence.destinations.iter().filter(|one| one.name != OTHER_DESTINATION);
    let named: Vec<_> = named.cloned().collect();
    let mut other = Destination { name: OTHER_DESTINATION.into(), ..Destination::default() };
    let folded = named.iter().skip(room.saturating_sub(1));
    for one in folded.chain(fence.destinations.iter().filter(|one| one.name == OTHER_DESTINATION)) {
        other.v2_allowed += one.v2_allowed;
        other.v2_denied += one.v2_denied;
        other.v1 = one.v1.map(|v1| v1 + other.v1.unwrap_or(0));
    }
    named.into_iter().take(room.saturating_sub(1)).chain([other]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(named: usize, v1: Option<u64>) -> Fence {
        let one = |name: String, v2_denied| Destination { name, v2_allowed: 1, v2_denied, v1 };
        let all = (0..named).map(|n| one(format!("d{n}"), 0)).chain([one("other".into(), 5)]);
        Fence { destinations: all.collect(), ..Fence::default() }
    }

    #[test]
    fn what_has_no_room_is_other_and_nothing_is_lost() {
        for (named, room, expect) in
            [(3, 10, 4), (3, 4, 4), (3, 3, 3), (3, 1, 1), (3, 0, 1), (0, 5, 1), (64, 4, 4)]
        {
            let shown = shown(&fence(named, Some(2)), room);
            assert_eq!(shown.len(), expect, "{named} in {room}");
            assert_eq!(shown.last().unwrap().name, "other");
            let sum = |of: fn(&Destination) -> u64| shown.iter().map(of).sum::<u64>();
            let all = named as u64 + 1;
            assert_eq!((sum(|one| one.v2_allowed), sum(|one| one.v2_denied)), (all, 5));
            assert_eq!(sum(|one| one.v1.unwrap()), 2 * all);
        }
    }

    #[test]
    fn calls_of_a_v1_that_nobody_counts_stay_unknown() {
        assert!(shown(&fence(9, None), 2).iter().all(|one| one.v1.is_none()));
    }
}
