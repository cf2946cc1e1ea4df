//! Vantages that are gone: whose connections may have another.

use mirror_common::flow::{Flow, phase};
use mirror_common::turn::Ambiguous;

use super::Flows;

/// Only an entry that is still there is written.
const BPF_EXIST: u64 = 2;

/// A vantage that sees nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The interface.
    pub interface: u32,
    /// The hook's number; `None`: all of them.
    pub hook: Option<u8>,
}

impl Lost {
    fn owns(self, flow: &Flow, side: usize) -> bool {
        flow.interface[side] == self.interface && self.hook.is_none_or(|hook| flow.hook[side] == hook)
    }
}

impl Flows {
    /// Frees the directions of connections that these vantages own, so that whoever sees them next owns them. A turn in
    /// flight may lack what passed meanwhile, so it is not certain. Returns how many connections were concerned.
    ///
    /// An entry is read and written back: what another packet of its other direction changes in between is lost.
    pub fn disown(&mut self, lost: &[Lost]) -> usize {
        let mut freed = 0;
        let keys: Vec<_> = self.table.keys().flatten().collect();
        for key in keys {
            let Ok(mut flow) = self.table.get(&key, 0) else { continue };
            if free(&mut flow, lost) {
                freed += usize::from(self.table.insert(key, flow, BPF_EXIST).is_ok());
            }
        }
        freed
    }
}

/// Whether one of these owned a direction of it, which is nobody's now.
fn free(flow: &mut Flow, lost: &[Lost]) -> bool {
    let is_lost = |flow: &Flow, side: usize| lost.iter().any(|lost| lost.owns(flow, side));
    let sides = [0, 1].map(|side| is_lost(flow, side));
    for (side, _) in sides.into_iter().enumerate().filter(|(_, lost)| *lost) {
        flow.interface[side] = 0;
        flow.hook[side] = 0;
        flow.echo_since[side] = 0;
    }
    if sides != [false; 2] && flow.phase != phase::IDLE && flow.doubt == 0 {
        flow.doubt = Ambiguous::Reordered as u8;
    }
    sides != [false; 2]
}
