//! The fields that were seen to differ, by number, and which of them may be called noise.

use std::collections::HashMap;

use super::block::{Block, FieldCount};
use crate::compare::{Field, Part};

/// Fields that are counted each by itself: so many that differ are one fault, or a service that is made up anew each time.
const MOST: usize = 128;

/// The fields of a service.
#[derive(Debug, Default)]
pub(super) struct Fields {
    named: Vec<Field>,
    numbers: HashMap<Field, u16>,
    /// Differences in fields for which there was no number.
    pub(super) other: u64,
}

impl Fields {
    pub(super) fn id(&self, field: &Field) -> Option<usize> {
        self.numbers.get(field).map(|id| usize::from(*id))
    }

    pub(super) fn get(&self, id: usize) -> &Field {
        &self.named[id]
    }

    /// With their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.named.iter().enumerate()
    }

    /// A field's count in a block; `None` when there are too many fields.
    pub(super) fn count<'b>(&mut self, field: &Field, block: &'b mut Block) -> Option<&'b mut FieldCount> {
        let id = match self.numbers.get(field) {
            Some(id) => *id,
            None => match u16::try_from(self.named.len()).ok().filter(|_| self.named.len() < MOST) {
                Some(id) => {
                    self.named.push(field.clone());
                    self.numbers.insert(field.clone(), id);
                    id
                }
                None => {
                    self.other += 1;
                    return None;
                }
            },
        };
        Some(block.fields.entry(id).or_default())
    }
}

/// A status says whether the request was served at all, and a container or a whole body hides everything in it.
pub(super) fn may_be_noise(field: &Field) -> bool {
    field.part != Part::Status && !field.is_broad()
}
