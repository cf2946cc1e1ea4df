//! What was sent on each connection, as a plain map from offset to bytes: streams are held against it.

use std::collections::BTreeMap;

use mirror_agent::packet::Side;
use mirror_agent::stream::Event;

/// One connection as its ends see it.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub is_open: bool,
    client: Direction,
    server: Direction,
    /// What is wrong unless bytes were refused meanwhile, which is counted only afterwards.
    complaint: Option<String>,
}

/// What one end sent, by offset behind its SYN.
#[derive(Debug, Default)]
struct Direction {
    /// Every copy of each byte, the first one first.
    copies: BTreeMap<i64, Vec<u8>>,
    /// Behind what was heard of; `None`: nothing was yet.
    heard: Option<i64>,
    is_finished: bool,
    /// Bytes were refused, and not every captured byte need come out.
    loose: bool,
}

impl Oracle {
    /// A segment is about to be taken.
    pub fn sent(&mut self, from: Side, offset: i64, payload: &[u8]) {
        let direction = self.direction(from);
        for (offset, byte) in (offset..).zip(payload) {
            direction.copies.entry(offset).or_default().push(*byte);
        }
    }

    /// What was taken is judged: whether bytes of it were refused is known now.
    pub fn judge(&mut self, is_refused: bool) {
        let complaint = self.complaint.take();
        if is_refused {
            self.client.loose = true;
            self.server.loose = true;
        } else if let Some(complaint) = complaint {
            panic!("{complaint}");
        }
    }

    /// Checks what is said.
    pub fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Opened { .. } => {
                assert!(!self.is_open, "opened twice");
                *self = Oracle { is_open: true, complaint: self.complaint.take(), ..Oracle::default() };
            }
            _ if !self.is_open => panic!("{event:?} of a closed connection"),
            Event::Chunk { from, offset, data, .. } => {
                let complaint = self.direction(from).chunk(offset, data);
                self.complaint = self.complaint.take().or(complaint);
            }
            Event::Gap { from, offset, bytes, .. } => {
                let complaint = self.direction(from).gap(offset, i64::from(bytes));
                self.complaint = self.complaint.take().or(complaint);
            }
            Event::Finished { from, .. } => {
                assert!(!std::mem::replace(&mut self.direction(from).is_finished, true), "finished twice");
            }
            Event::Closed { .. } => {
                self.is_open = false;
                let left = self.client.left().or(self.server.left());
                self.complaint = self.complaint.take().or(left);
            }
        }
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}

impl Direction {
    fn chunk(&mut self, offset: i64, data: &[u8]) -> Option<String> {
        assert!(!data.is_empty() && !self.is_finished);
        self.follows(offset);
        let mut complaint = None;
        for (offset, byte) in (offset..).zip(data) {
            let copies = self.copies.get(&offset).map(Vec::as_slice).unwrap_or_default();
            assert!(copies.contains(byte), "{byte} at {offset}, where {copies:?} were sent");
            if copies.first() != Some(byte) && !self.loose {
                complaint = Some(format!("{byte} at {offset}, where {copies:?} were sent"));
            }
        }
        self.heard = Some(offset + data.len() as i64);
        complaint
    }

    fn gap(&mut self, offset: i64, bytes: i64) -> Option<String> {
        assert!(bytes > 0 && !self.is_finished);
        self.follows(offset);
        let captured = self.copies.range(offset..offset + bytes).next();
        self.heard = Some(offset + bytes);
        captured.filter(|_| !self.loose).map(|captured| format!("a gap of {bytes} over {captured:?}"))
    }

    /// There is no step between two events; the first may stand before the byte that was expected first.
    fn follows(&self, offset: i64) {
        assert!(self.heard.map_or(offset <= 0, |heard| heard == offset), "{offset} behind {:?}", self.heard);
    }

    /// Bytes that were captured and not heard of.
    fn left(&self) -> Option<String> {
        let left = self.copies.range(self.heard.unwrap_or(0)..).next().filter(|_| !self.loose);
        left.map(|left| format!("captured and not heard of: {left:?}"))
    }
}
