//! The way of one frame: link, IP, tunnels and what is in them, TCP.

use std::mem;

use super::{MAX_TUNNELS, Stats};
use crate::packet::checksum::{self, Finding};
use crate::packet::fragments::{Fragments, Key};
use crate::packet::ip::{self, Body, Version};
use crate::packet::tunnel::{self, Inner};
use crate::packet::{Frame, Segment, Skip, tcp};
use crate::time::Nanos;

/// What a frame needs on its way. `'a` is how long its bytes live, in the frame or in `joined`.
pub(super) struct Walk<'a, 'd> {
    pub at: Nanos,
    pub verify: bool,
    pub fragments: &'d mut Fragments,
    /// Those that no datagram was joined in yet.
    pub joined: &'a mut [Vec<u8>],
    pub stats: &'d mut Stats,
}

impl<'a> Walk<'a, '_> {
    /// The segment in `frame`.
    pub(super) fn frame(mut self, frame: &Frame<'a>) -> Result<Segment<'a>, Skip> {
        let (version, data) = frame.link.strip(frame.data)?;
        let body = self.datagram(version, data, data.len().saturating_add(frame.cut()), 0)?;
        if body.protocol == ip::TCP { self.tcp(&body) } else { self.inside(body) }
    }

    /// The segment in the tunnels that `body` is.
    fn inside(mut self, mut body: Body<'a>) -> Result<Segment<'a>, Skip> {
        for depth in 1..=MAX_TUNNELS {
            let inner = opened(&body)?;
            self.stats.tunnels[inner.tunnel.index()] += 1;
            let (version, data, on_wire) = inner.strip()?;
            body = self.datagram(version, data, on_wire, depth)?;
            if body.protocol == ip::TCP {
                return self.tcp(&body);
            }
        }
        opened(&body).and(Err(Skip::TooDeep))
    }

    /// The transport's part of a datagram, whole as far as it was captured.
    fn datagram(
        &mut self,
        version: Version,
        data: &'a [u8],
        on_wire: usize,
        depth: usize,
    ) -> Result<Body<'a>, Skip> {
        let body = ip::parse(version, data, on_wire)?;
        if self.verify && version == Version::V4 && !body.offloaded {
            self.judge(ip::header_v4(data).map_or(Finding::Right, checksum::ipv4))?;
        }
        if body.fragment.is_none() { Ok(body) } else { self.whole(body, depth) }
    }

    /// The datagram that a fragment completes, and the one that this completes if it is itself a fragment.
    #[cold]
    fn whole(&mut self, mut body: Body<'a>, depth: usize) -> Result<Body<'a>, Skip> {
        while let Some(fragment) = body.fragment {
            let (joined, rest) = mem::take(&mut self.joined).split_first_mut().ok_or(Skip::TooDeep)?;
            self.joined = rest;
            let key = Key::new(&body, fragment.id, depth);
            let protocol = self.fragments.add(self.at, key, fragment, &body, joined)?;
            let whole = Body { protocol, data: joined, claimed: joined.len(), fragment: None, ..body };
            body = ip::behind_fragment(whole)?;
        }
        Ok(body)
    }

    fn tcp(&mut self, body: &Body<'a>) -> Result<Segment<'a>, Skip> {
        let segment = tcp::parse(self.at, body)?;
        if self.verify && (body.data.len() < body.claimed || body.en_route) {
            self.stats.unverified_checksums += 1;
        } else if self.verify {
            self.judge(checksum::tcp(body))?;
        }
        Ok(segment)
    }

    fn judge(&mut self, finding: Finding) -> Result<(), Skip> {
        self.stats.unfinished_checksums += u64::from(finding == Finding::Unfinished);
        if finding == Finding::Wrong { Err(Skip::BadChecksum) } else { Ok(()) }
    }
}

/// What `body` carries, which must be a tunnel.
fn opened<'a>(body: &Body<'a>) -> Result<Inner<'a>, Skip> {
    let none = if body.protocol == ip::UDP { Skip::Udp } else { Skip::OtherProtocol };
    tunnel::open(body)?.ok_or(none)
}
