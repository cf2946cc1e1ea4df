//! Round trips of TCP between the tap and each end, so that the network's time can be told from the server's.
//!
//! ```text
//! client ── SYN ──► tap ── SYN ──► server        server's: SYN to SYN-ACK
//! client ◄─ SYN-ACK ── tap ◄──────────           client's: SYN-ACK to the ACK of it
//! ```
//!
//! Later ones come from time stamps (RFC 7323): the first segment that carries a value, and the first acknowledgement
//! that echoes it. One that carries data is not taken: the application's time would be in it.

use mirror_common::count::side;
use mirror_common::flow::{Flow, known, mark};
use mirror_common::histogram::round_trip_series;
use mirror_common::turn::round_trip;

use crate::histogram::record;
use crate::packet::{Segment, tcp};

/// Follows one segment; before the turn clock, which learns from it where the stream stands.
#[inline(always)]
pub fn follow(segment: &Segment, from: u8, flow: &mut Flow, now: u64) {
    if segment.tcp_flags & tcp::SYN != 0 {
        handshake(segment, from, flow, now);
    } else if flow.marks & mark::HANDSHAKE != 0 && from == side::CLIENT {
        handshake_ends(segment, flow, now);
    } else if segment.has_stamps && segment.tcp_flags & (tcp::FIN | tcp::RST) == 0 {
        echo(segment, from, flow, now);
        await_echo(segment, from, flow, now);
    }
}

/// A SYN or SYN-ACK that comes twice leaves nobody to know which one was answered (Karn's algorithm).
#[inline(always)]
fn handshake(segment: &Segment, from: u8, flow: &mut Flow, now: u64) {
    let (client, server) = (side::CLIENT as usize, side::SERVER as usize);
    if from == side::CLIENT {
        let first = flow.known & known::REQUEST_NEXT == 0 && segment.tcp_flags & tcp::ACK == 0;
        flow.echo_since[server] = if first { now } else { 0 };
        return;
    }
    let first = flow.known & known::RESPONSE_NEXT == 0;
    let is_of_syn = flow.echo_since[server] != 0 && flow.echo_of[server] == 0;
    if first && is_of_syn {
        take(flow, round_trip::HANDSHAKE, side::SERVER, now);
    }
    flow.echo_since[server] = 0;
    flow.echo_since[client] = if first { now } else { 0 };
    flow.marks |= mark::HANDSHAKE;
}

/// The client's first segment after the SYN-ACK. With data it may be later than its acknowledgement.
#[inline(always)]
fn handshake_ends(segment: &Segment, flow: &mut Flow, now: u64) {
    flow.marks &= !mark::HANDSHAKE;
    let plain = segment.payload == 0 && segment.tcp_flags & (tcp::ACK | tcp::FIN | tcp::RST) == tcp::ACK;
    if plain && segment.acknowledged == flow.response_next && flow.echo_since[side::CLIENT as usize] != 0 {
        take(flow, round_trip::HANDSHAKE, side::CLIENT, now);
    }
    flow.echo_since[side::CLIENT as usize] = 0;
    if segment.has_stamps {
        flow.newest_stamp[side::SERVER as usize] = segment.stamp;
    }
}

/// Is this what was awaited from its sender? What echoes a later value has passed it by.
#[inline(always)]
fn echo(segment: &Segment, from: u8, flow: &mut Flow, now: u64) {
    let index = (from & 1) as usize;
    // A handshake waits for no stamp.
    if flow.echo_since[index] == 0 || flow.echo_of[index] == 0 || is_newer(flow.echo_of[index], segment.echo)
    {
        return;
    }
    if segment.echo == flow.echo_of[index] && segment.payload == 0 {
        take(flow, round_trip::STAMP, from, now);
    }
    flow.echo_since[index] = 0;
}

/// Only the first segment that carries a value is waited for: an echo of it may be of any that carry it.
#[inline(always)]
fn await_echo(segment: &Segment, from: u8, flow: &mut Flow, now: u64) {
    let to = (from & 1 ^ 1) as usize;
    let newest = flow.newest_stamp[to];
    if newest == 0 || is_newer(segment.stamp, newest) {
        flow.newest_stamp[to] = segment.stamp;
        // Until the client has answered, its place holds the handshake's.
        let free = flow.echo_since[to] == 0 && flow.marks & mark::HANDSHAKE == 0;
        if newest != 0 && segment.payload > 0 && free {
            flow.echo_since[to] = now;
            flow.echo_of[to] = segment.stamp;
        }
    }
}

/// Values wrap (RFC 7323, section 5.2).
#[inline(always)]
fn is_newer(value: u32, than: u32) -> bool {
    value.wrapping_sub(than) as i32 > 0
}

#[inline(always)]
fn take(flow: &Flow, kind: u8, from: u8, now: u64) {
    let since = flow.echo_since[(from & 1) as usize];
    let _ = record(round_trip_series(flow.service, flow.version, kind, from & 1), now.saturating_sub(since));
}
