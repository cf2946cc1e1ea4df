//! The contract between the kernel programs and the agent.
//!
//! Layouts are `repr(C)` without padding, their sizes asserted at compile time. Addresses and ports stand in network
//! order; counters and times are native integers, because both sides run on the same host. Decisions that both
//! sides take (the share, the bucket of a histogram) live here once, integer only.
#![no_std]

pub mod count;
pub mod event;
pub mod fence;
pub mod flow;
pub mod histogram;
pub mod limits;
pub mod policy;
pub mod rule;
pub mod share;
pub mod turn;

/// Marks types that may be copied between the kernel and user space as plain bytes.
#[cfg(feature = "user")]
mod user {
    use crate::{count, event, fence, flow, histogram, policy, rule};

    // SAFETY: every type is `repr(C)`, made of integers and arrays of them only, and has no padding: the size of each is
    // asserted beside its definition to be the sum of its fields.
    unsafe impl aya::Pod for flow::FlowKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for flow::EndpointKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for flow::Endpoint {}
    // SAFETY: as above.
    unsafe impl aya::Pod for flow::Flow {}
    // SAFETY: as above.
    unsafe impl aya::Pod for histogram::Histogram {}
    // SAFETY: as above.
    unsafe impl aya::Pod for policy::Control {}
    // SAFETY: as above.
    unsafe impl aya::Pod for policy::ServicePolicy {}
    // SAFETY: as above.
    unsafe impl aya::Pod for policy::Buckets {}
    // SAFETY: as above.
    unsafe impl aya::Pod for count::SideCount {}
    // SAFETY: as above.
    unsafe impl aya::Pod for count::TurnCount {}
    // SAFETY: as above.
    unsafe impl aya::Pod for count::SkipCount {}
    // SAFETY: as above.
    unsafe impl aya::Pod for count::RuleCount {}
    // SAFETY: as above.
    unsafe impl aya::Pod for rule::PrefixKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for rule::Candidates {}
    // SAFETY: as above.
    unsafe impl aya::Pod for event::Event {}
    // SAFETY: as above.
    unsafe impl aya::Pod for flow::Closed {}
    // SAFETY: as above.
    unsafe impl aya::Pod for fence::Settings {}
    // SAFETY: as above.
    unsafe impl aya::Pod for fence::DestinationKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for fence::UnknownKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for fence::Count {}
}
