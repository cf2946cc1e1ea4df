//! What an engine counts, and how it becomes a summary: each thing has one fate.

use std::collections::BTreeMap;

use super::REQUEST_MISSING;
use crate::exchange::{self, End};
use crate::packet::{self, Skip, Tunnel};
use crate::read::paths::Paths;
use crate::read::record::{COMPLETE, Record};
use crate::read::summary::{Fates, Summary};
use crate::stream;
use crate::time::Nanos;

/// What the engine itself counts. The rest is counted where it happens.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub frames: u64,
    pub unknown_links: u64,
    pub payload: u64,
    pub other_segments: u64,
    pub other_payload: u64,
    pub connections: u64,
    pub seen: u64,
    pub records: u64,
    pub first: Option<Nanos>,
    ends: BTreeMap<&'static str, u64>,
    problems: BTreeMap<&'static str, u64>,
    paths: Paths,
}

impl Accounts {
    pub fn count(&mut self, record: &Record<'_>) {
        *self.ends.entry(record.end).or_default() += 1;
        for problem in record.problems {
            *self.problems.entry(problem).or_default() += 1;
        }
        self.paths.add(record);
    }

    pub fn summary(
        &self,
        packets: &packet::Stats,
        streams: &stream::Stats,
        http: &exchange::Stats,
    ) -> Summary {
        Summary {
            frames: self.frames(packets),
            segments: self.segments(packets, streams),
            payload_bytes: self.payload(streams, http),
            connections: self.connections(streams),
            exchanges: self.exchanges(),
            counters: counters(packets, streams, http),
            lost: lost(packets, streams, http),
            problems: self.problems.clone(),
            paths: self.paths.clone(),
            first: self.first,
            last: None,
        }
    }

    fn frames(&self, packets: &packet::Stats) -> Fates {
        let skips = Skip::ALL.iter().map(|skip| (skip.as_str(), packets.skipped(*skip)));
        fates(self.frames, skips.chain([("segment", packets.segments), ("unknown_link", self.unknown_links)]))
    }

    fn segments(&self, packets: &packet::Stats, streams: &stream::Stats) -> Fates {
        fates(
            packets.segments,
            [
                ("followed", streams.followed_segments),
                ("other_service", self.other_segments),
                ("unknown_connection", streams.unknown_segments),
                ("straggling", streams.straggling_segments),
                ("refused_connection", streams.refused_connections),
            ],
        )
    }

    fn payload(&self, streams: &stream::Stats, http: &exchange::Stats) -> Fates {
        fates(
            self.payload,
            [
                ("request", http.request_bytes),
                ("response", http.response_bytes),
                ("client_skipped", http.client_skipped),
                ("server_skipped", http.server_skipped),
                ("opaque", http.opaque_bytes),
                ("over_memory", streams.refused_bytes),
                ("duplicate", streams.duplicate_bytes),
                ("before_beginning", streams.before_bytes),
                ("after_fin", streams.after_fin_bytes),
                ("far", streams.far_bytes),
                ("reset", streams.reset_bytes),
                ("unfollowed", streams.unfollowed_bytes),
                ("other_service", self.other_payload),
            ],
        )
    }

    fn connections(&self, streams: &stream::Stats) -> Fates {
        fates(
            self.connections,
            [
                ("fin", streams.closed_fin),
                ("reset", streams.closed_reset),
                ("idle", streams.closed_idle),
                ("input_ended", streams.closed_evicted),
                ("reused", streams.closed_reused),
            ],
        )
    }

    fn exchanges(&self) -> Fates {
        let known = End::ALL.iter().map(|end| end.as_str()).chain([COMPLETE, REQUEST_MISSING]);
        fates(self.seen, known.map(|end| (end, self.ends.get(end).copied().unwrap_or(0))))
    }
}

fn fates(total: u64, fates: impl IntoIterator<Item = (&'static str, u64)>) -> Fates {
    Fates { total, fates: fates.into_iter().collect() }
}

/// Everything that is counted and is no fate.
fn counters(
    packets: &packet::Stats,
    streams: &stream::Stats,
    http: &exchange::Stats,
) -> BTreeMap<&'static str, u64> {
    let mut counters = BTreeMap::from([
        ("connections_joined_late", streams.opened_late),
        ("connections_over_memory", http.over_memory),
        ("early_segments", streams.early_segments),
        ("copied_bytes", streams.copied_bytes),
        ("conflicting_bytes", streams.conflicting_bytes),
        ("contradicting_fins", streams.contradicting_fins),
        ("far_segments", streams.far_segments),
        ("implausible_resets", streams.implausible_resets),
        ("gap_bytes", streams.gap_bytes),
        ("gaps_by_bytes", streams.gaps_by_bytes),
        ("gaps_by_chunks", streams.gaps_by_chunks),
        ("gaps_by_age", streams.gaps_by_age),
        ("gaps_by_ack", streams.gaps_by_ack),
        ("gaps_by_snap", streams.gaps_by_snap),
        ("gaps_by_close", streams.gaps_by_close),
        ("gaps_in_messages", http.gaps_inside),
        ("gaps_between_messages", http.gaps_between),
        ("interim_responses", http.interim),
        ("unasked_responses", http.unasked),
        ("pairings_found_again", http.anchored),
        ("pairings_given_up", http.adrift),
        ("crowded", http.crowded),
        ("pending_full", http.pending_full),
    ]);
    let (fragments, datagrams) = (packets.fragments.fragments, packets.fragments.datagrams);
    counters.extend([
        ("datagrams_joined", datagrams.joined),
        ("datagrams_expired", datagrams.expired),
        ("datagrams_evicted", datagrams.evicted),
        ("datagrams_conflicting", datagrams.conflicting),
        ("fragments_joined", fragments.joined),
        ("fragments_waiting", packets.fragments.waiting),
        ("checksums_unfinished", packets.unfinished_checksums),
        ("checksums_unverified", packets.unverified_checksums),
    ]);
    counters.extend(Tunnel::ALL.iter().map(|tunnel| (tunnel.as_str(), packets.opened(*tunnel))));
    counters
}

/// What was in the traffic and is in no exchange.
fn lost(
    packets: &packet::Stats,
    streams: &stream::Stats,
    http: &exchange::Stats,
) -> BTreeMap<&'static str, u64> {
    let fragments = packets.fragments.fragments;
    let all = [
        ("gap_bytes", streams.gap_bytes),
        ("before_beginning_bytes", streams.before_bytes),
        ("skipped_bytes", http.client_skipped + http.server_skipped),
        ("over_memory_bytes", streams.refused_bytes),
        ("unfollowed_bytes", streams.unfollowed_bytes),
        ("connections_refused", streams.refused_connections),
        ("bad_checksums", packets.skipped(Skip::BadChecksum)),
        ("fragments", fragments.sum() - fragments.joined + packets.fragments.waiting),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}
