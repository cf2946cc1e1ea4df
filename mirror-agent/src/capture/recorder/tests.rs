//! Frames made by hand go in; the file is read back.

use std::net::SocketAddr;

use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::{Block, PcapNgReader};

use super::super::pcapng::Interface;
use super::super::vantage::Mac;
use super::*;
use crate::packet::sample::{Tcp, ipv4};
use crate::packet::{Flags, Link};

const CLIENT_MAC: Mac = [2, 0, 0, 0, 0, 9];
const ETH0: Mac = [2, 0, 0, 0, 0, 1];
const ETH1: Mac = [2, 0, 0, 0, 0, 2];

/// What was written of one frame.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    interface: u32,
    flags: Option<u32>,
    comment: Option<String>,
    data: Vec<u8>,
}

/// An Ethernet frame with a TCP segment from 10.0.0.1 (port 40000) to 10.0.0.2 (port 80).
fn frame(to: Mac, from: Mac, flags: u8) -> Vec<u8> {
    let segment = Tcp { flags, ..Tcp::with(b"x") };
    [&to[..], &from, &[8, 0], &ipv4(6, &[], &segment.bytes())].concat()
}

/// Records frames (with their tags) as seen by taps on `vantages`, and reads the file.
fn record(
    name: &str,
    vantages: Vec<Vantage>,
    wanted: Wanted,
    owners: Owners<'_>,
    frames: &[(Vec<u8>, Tag)],
) -> Vec<Row> {
    let path = std::env::temp_dir().join(format!("mirror-agent-recorder-{}-{name}", std::process::id()));
    let mut names: Vec<&str> = vantages.iter().map(|vantage| vantage.name.as_str()).collect();
    names.extend((names.len() > 1).then_some("unknown"));
    let describe = |name: &&str| Interface {
        name: name.to_string(),
        description: String::new(),
        mac: None,
        filter: String::new(),
    };
    let described: Vec<Interface> = names.iter().map(describe).collect();
    let blocks = Blocks::begin(Output::open(&path).unwrap(), None, "", &described, Nanos(0)).unwrap();
    let mut recorder = Recorder::new(blocks, wanted, vantages);
    for (data, tag) in frames {
        let frame = Frame { at: Nanos(1), link: Link::Ethernet, data, wire_len: data.len() as u32 };
        recorder.record(&frame, *tag, owners).unwrap();
    }
    assert_eq!(recorder.packets(), frames.len() as u64);
    drop(recorder.end(Statistics::default(), Nanos(2)).unwrap());
    let rows = read(&std::fs::read(&path).unwrap());
    std::fs::remove_file(path).unwrap();
    rows
}

fn read(file: &[u8]) -> Vec<Row> {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut rows = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap().0 else { continue };
        let mut row = Row {
            interface: packet.interface_id,
            flags: None,
            comment: None,
            data: packet.data.into_owned(),
        };
        for option in packet.options {
            match option {
                EnhancedPacketOption::Flags(flags) => row.flags = Some(flags),
                EnhancedPacketOption::Common(CommonOption::Comment(text)) => {
                    row.comment = Some(text.into_owned())
                }
                other => panic!("{other:?}"),
            }
        }
        rows.push(row);
    }
    rows
}

fn eth(name: &str, index: u32, mac: Mac) -> Vantage {
    Vantage { name: name.into(), index, mac: Some(mac) }
}

fn service() -> Wanted {
    Wanted::Endpoint(SocketAddr::from(([10, 0, 0, 2], 80)))
}

const NOBODY: Owners<'static> = &|_| [0; 2];
const NOT_ASKED: Owners<'static> = &|_| panic!("one interface needs no owner");

#[test]
fn the_first_frame_of_a_connection_says_so() {
    let start = (frame(ETH0, CLIENT_MAC, Flags::SYN), None);
    let next = (frame(ETH0, CLIENT_MAC, Flags::ACK), None);
    let comments = |name: &str, frames: &[(Vec<u8>, Tag)]| {
        let rows = record(name, vec![eth("eth0", 7, ETH0)], service(), NOT_ASKED, frames);
        rows.into_iter().map(|row| row.comment.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(comments("start", &[start, next.clone()]), ["connection 1", ""]);
    assert_eq!(comments("joined", &[next]), ["connection 1, joined after its start"]);
}

#[test]
fn the_direction_is_the_interfaces_else_the_services() {
    let flags = |name: &str, wanted: Wanted, to: Mac, from: Mac| {
        record(name, vec![eth("eth0", 7, ETH0)], wanted, NOT_ASKED, &[(frame(to, from, Flags::ACK), None)])[0]
            .flags
    };
    assert_eq!(flags("in", service(), ETH0, CLIENT_MAC), Some(1));
    assert_eq!(
        flags("out", service(), CLIENT_MAC, ETH0),
        Some(2),
        "as on the host's end of a container's veth"
    );
    assert_eq!(flags("bridge", service(), CLIENT_MAC, ETH1), Some(1), "towards the service");
    assert_eq!(flags("from", Wanted::Port(40_000), CLIENT_MAC, ETH1), Some(2), "from the service");
    assert_eq!(flags("any", Wanted::Everything, CLIENT_MAC, ETH1), None);
}

#[test]
fn a_tag_is_back_where_it_was() {
    let plain = frame(ETH0, CLIENT_MAC, Flags::ACK);
    let rows = record(
        "tag",
        vec![eth("eth0", 7, ETH0)],
        service(),
        NOT_ASKED,
        &[(plain.clone(), Some((0x88a8, 0x6007)))],
    );
    let expected = [&plain[..12], &[0x88, 0xa8, 0x60, 0x07], &plain[12..]].concat();
    assert_eq!(rows[0].data, expected);
    let short = vec![1, 2, 3];
    let rows = record(
        "short",
        vec![eth("eth0", 7, ETH0)],
        service(),
        NOT_ASKED,
        &[(short.clone(), Some((0x8100, 1)))],
    );
    assert_eq!(rows[0].data, short);
}

#[test]
fn each_direction_has_the_interface_that_owns_it() {
    let both = || vec![eth("eth0", 7, ETH0), eth("eth1", 8, ETH1)];
    let request = (frame(CLIENT_MAC, CLIENT_MAC, Flags::ACK), None);
    let interface = |name: &str, wanted: Wanted, owners: Owners<'_>| {
        record(name, both(), wanted, owners, std::slice::from_ref(&request))[0].interface
    };
    assert_eq!(interface("client", service(), &|_| [8, 7]), 1);
    assert_eq!(interface("server", Wanted::Port(40_000), &|_| [8, 7]), 0);
    assert_eq!(interface("nobody", service(), NOBODY), 2, "the unknown one");
}

#[test]
fn owners_are_asked_for_until_they_are_known() {
    let asked = std::cell::Cell::new(0);
    let owners = |_: &FlowKey| {
        asked.set(asked.get() + 1);
        if asked.get() < 3 { [0, 7] } else { [8, 7] }
    };
    let frames = vec![(frame(ETH0, CLIENT_MAC, Flags::ACK), None); 5];
    let rows = record("asked", vec![eth("eth0", 7, ETH0), eth("eth1", 8, ETH1)], service(), &owners, &frames);
    assert_eq!(
        rows.iter().map(|row| row.interface).collect::<Vec<_>>(),
        [0, 0, 1, 1, 1],
        "by address, then by owner"
    );
    assert_eq!(asked.get(), 3);
}

/// Whatever the bytes are, they go into the file as they came.
#[test]
fn hostile_bytes_are_written_as_they_are() {
    let whole = frame(ETH0, CLIENT_MAC, Flags::SYN);
    let prefixes: Vec<(Vec<u8>, Tag)> = (0..=whole.len()).map(|len| (whole[..len].to_vec(), None)).collect();
    let rows = record("prefixes", vec![eth("eth0", 7, ETH0)], service(), NOT_ASKED, &prefixes);
    assert!(rows.iter().zip(&prefixes).all(|(row, (data, _))| row.data == *data));
}
