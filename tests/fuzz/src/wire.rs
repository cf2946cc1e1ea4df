//! Packets by hand: IPv4 and TCP without options.

/// One packet between a client and the one server, 10.0.0.2:80.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packet<'a> {
    /// The client's address and port.
    pub client: (u32, u16),
    /// Whether the server sends it.
    pub is_answer: bool,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// TCP flags.
    pub flags: u8,
    /// Payload.
    pub payload: &'a [u8],
}

impl Packet<'_> {
    /// The bytes, put into `to` in the place of what it held.
    pub fn write(&self, to: &mut Vec<u8>) {
        let (client, server) = (self.client, (0x0a00_0002, 80));
        let (from, there) = if self.is_answer { (server, client) } else { (client, server) };
        to.clear();
        to.extend([0x45, 0]);
        to.extend((40 + self.payload.len() as u16).to_be_bytes());
        to.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        to.extend(from.0.to_be_bytes().into_iter().chain(there.0.to_be_bytes()));
        to.extend(from.1.to_be_bytes().into_iter().chain(there.1.to_be_bytes()));
        to.extend(self.seq.to_be_bytes().into_iter().chain(self.ack.to_be_bytes()));
        to.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        to.extend(self.payload);
    }
}
