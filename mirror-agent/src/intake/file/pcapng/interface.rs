//! What an Interface Description Block says of the packets that follow.

use super::clock::Clock;
use crate::intake::file::error::Fault;
use crate::intake::file::order::Order;

const END: u16 = 0;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

/// An interface, as far as its packets need it.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) linktype: u32,
    /// The most bytes of a packet that were captured.
    pub(super) snaplen: u32,
    pub(super) clock: Clock,
}

impl Interface {
    /// Reads a block's body, which has at least its 8 bytes of fixed fields.
    pub(super) fn read(order: Order, body: &[u8]) -> Result<Interface, Fault> {
        let linktype = order.u16(body, 0).into();
        let limit = order.u32(body, 4);
        let snaplen = if limit == 0 { u32::MAX } else { limit };
        let clock = clock(order, body.get(8..).unwrap_or_default())?;
        Ok(Interface { linktype, snaplen, clock })
    }
}

/// Walks the options for those about time. A list that does not add up is a fault: the time would be a guess.
fn clock(order: Order, mut options: &[u8]) -> Result<Clock, Fault> {
    let (mut resolution, mut offset) = (None, None);
    while !options.is_empty() {
        let (head, rest) = options.split_at_checked(4).ok_or(Fault::Options)?;
        let len = usize::from(order.u16(head, 2));
        let value = rest.get(..len).ok_or(Fault::Options)?;
        match order.u16(head, 0) {
            END => break,
            TIME_RESOLUTION => resolution = resolution.or(Some(exactly(value)?)),
            TIME_OFFSET => offset = offset.or(Some(exactly(value)?)),
            _ => {}
        }
        options = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    let resolution = resolution.map(|[byte]: [u8; 1]| byte);
    Ok(Clock::new(resolution, offset.map_or(0, |bytes| order.i64(bytes))))
}

fn exactly<const N: usize>(value: &[u8]) -> Result<[u8; N], Fault> {
    value.try_into().map_err(|_| Fault::Options)
}
