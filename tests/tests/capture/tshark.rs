//! What tshark finds in a file. Any complaint of its is a failure.

use std::path::Path;
use std::process::Command;

/// The fields that are asked for, in the order of [`Packet::read`].
const FIELDS: [&str; 20] = [
    "frame.time_epoch",
    "frame.interface_name",
    "frame.packet_flags_direction",
    "frame.comment",
    "vlan.id",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags.syn",
    "tcp.flags.fin",
    "tcp.len",
    "http.request.uri",
    "http.response.code",
    "_ws.malformed",
    "frame.len",
    "tcp.seq",
    "tcp.flags.reset",
];

/// A packet as tshark sees it.
#[derive(Clone, Debug)]
pub struct Packet {
    pub time_ns: u64,
    pub interface: String,
    /// 1 is in, 2 is out.
    pub direction: u32,
    pub comment: Option<String>,
    pub vlan: Option<u16>,
    pub frame_len: usize,
    pub from_address: String,
    to_address: String,
    from_port: u16,
    pub to_port: u16,
    pub syn: bool,
    pub fin: bool,
    pub reset: bool,
    /// Relative to the start of its direction.
    pub seq: u64,
    pub payload: u64,
    pub request: Option<String>,
    pub is_response: bool,
}

/// What stands in the statistics block of an interface.
#[derive(Debug, Default)]
pub struct Statistics {
    pub received: Option<u64>,
    pub accepted: Option<u64>,
    pub dropped: Option<u64>,
    pub not_copied: Option<u64>,
}

impl Packet {
    pub fn from(&self) -> (String, u16) {
        (self.from_address.clone(), self.from_port)
    }

    pub fn to(&self) -> (String, u16) {
        (self.to_address.clone(), self.to_port)
    }

    fn read(line: &str) -> Packet {
        let fields: Vec<&str> = line.split('\t').collect();
        let some = |at: usize| Some(fields[at].to_owned()).filter(|text| !text.is_empty());
        let number = |at: usize| some(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let flag = |at: usize| matches!(fields[at], "1" | "True");
        assert_eq!(some(16), None, "malformed: {line}");
        let (seconds, nanos) = fields[0].split_once('.').unwrap();
        Packet {
            time_ns: seconds.parse::<u64>().unwrap() * 1_000_000_000 + nanos.parse::<u64>().unwrap(),
            interface: fields[1].into(),
            direction: some(2)
                .map_or(0, |text| u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()),
            comment: some(3),
            vlan: some(4).map(|text| text.parse().unwrap()),
            frame_len: number(17) as usize,
            from_address: some(5).or(some(7)).unwrap(),
            to_address: some(6).or(some(8)).unwrap(),
            from_port: number(9) as u16,
            to_port: number(10) as u16,
            syn: flag(11),
            fin: flag(12),
            reset: flag(19),
            seq: number(18),
            payload: number(13),
            request: some(14),
            is_response: some(15).is_some(),
        }
    }
}

/// Every packet of a file, each HTTP message at the packet that ends it.
pub fn packets(file: &Path) -> Vec<Packet> {
    let mut fields: Vec<&str> = vec!["-T", "fields"];
    for field in FIELDS {
        fields.extend(["-e", field]);
    }
    tshark(file, &fields).lines().map(Packet::read).collect()
}

/// The statistics of every interface of a file, in order. Read from the bytes: tshark prints them nowhere.
pub fn statistics(file: &Path) -> Vec<Statistics> {
    let bytes = std::fs::read(file).unwrap();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
    let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap());
    let long = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        let end = at + word(at + 4) as usize;
        if word(at) == 5 {
            let mut statistics = Statistics::default();
            let mut option = at + 20;
            while half(option) != 0 {
                match half(option) {
                    4 => statistics.received = Some(long(option + 4)),
                    6 => statistics.accepted = Some(long(option + 4)),
                    7 => statistics.not_copied = Some(long(option + 4)),
                    5 => statistics.dropped = Some(long(option + 4)),
                    _ => {}
                }
                option += 4 + usize::from(half(option + 2)).next_multiple_of(4);
            }
            all.push(statistics);
        }
        at = end;
    }
    all
}

fn tshark(file: &Path, arguments: &[&str]) -> String {
    // Segments of one direction pass two processors: tshark puts them in order only when asked to.
    let order = ["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-d", "tcp.port==8080,http"];
    let output = Command::new("tshark").arg("-r").arg(file).args(order).args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let complaints: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("Running as user")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{complaints:?}");
    String::from_utf8(output.stdout).unwrap()
}
