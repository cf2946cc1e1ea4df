//! What is taken and refused as a shadow interface, and which ports a tunnel sends from.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[test]
fn what_is_written_is_what_is_meant_and_what_is_shown() {
    let tunnel = |remote: &str, vni| ShadowInterface::Tunnel(Tunnel { remote: remote.parse().unwrap(), vni });
    for (text, expected) in [
        ("ids0", ShadowInterface::Existing("ids0".into())),
        ("vxlan7", ShadowInterface::Existing("vxlan7".into())),
        ("vxlan:10.0.0.9:42", tunnel("10.0.0.9", 42)),
        ("vxlan:10.0.0.9:0", tunnel("10.0.0.9", 0)),
        ("vxlan:[fd00::9]:16777215", tunnel("fd00::9", 16_777_215)),
    ] {
        assert_eq!(text.parse().as_ref(), Ok(&expected));
        assert_eq!(expected.to_string(), text);
    }
    let mapped: ShadowInterface = "vxlan:[::ffff:10.0.0.9]:1".parse().unwrap();
    assert_eq!(mapped.to_string(), "vxlan:10.0.0.9:1");
}

#[test]
fn a_refusal_says_what_is_wrong() {
    for (text, part) in [
        ("vxlan:", "not vxlan:REMOTE:VNI"),
        ("vxlan:10.0.0.9", "not vxlan:REMOTE:VNI"),
        ("vxlan:10.0.0.9:", "\"\" is not a VNI"),
        ("vxlan:10.0.0.9:16777216", "0 to 16777215"),
        ("vxlan:10.0.0.9:+1", "is not a VNI"),
        ("vxlan:10.0.0.9:-1", "is not a VNI"),
        ("vxlan:10.0.0.9:0x1", "is not a VNI"),
        ("vxlan:10.0.0.9:99999999999", "is not a VNI"),
        ("vxlan:10.0.0.9:4789:42", "is not an address"),
        ("vxlan:host:42", "is not an address"),
        ("vxlan:fd00::9:42", "is not an address"),
        ("vxlan:[10.0.0.9]:42", "is not an address"),
        ("vxlan:10.0.0:42", "is not an address"),
        ("vxlan:0.0.0.0:42", "not the address of one host"),
        ("vxlan:224.0.0.1:42", "not the address of one host"),
        ("vxlan:[ff02::1]:42", "not the address of one host"),
        ("vxlan:255.255.255.255:42", "not the address of one host"),
        ("vxlan:127.0.0.1:42", "this host itself"),
        ("vxlan:[::1]:42", "this host itself"),
        ("vxlan:[fe80::1]:42", "one link only"),
        ("geneve:[::1]:1", "no space, slash or colon"),
        ("", "must not be empty"),
    ] {
        let said = text.parse::<ShadowInterface>().unwrap_err();
        assert!(said.contains(part), "{text}: {said}");
    }
}

#[test]
fn a_service_where_the_tunnel_leads_is_met() {
    let tunnel = Tunnel { remote: "10.0.0.9".parse().unwrap(), vni: 1 };
    for (service, met) in
        [("10.0.0.9:4789", true), ("0.0.0.0:4789", true), ("10.0.0.9:80", false), ("10.0.0.8:4789", false)]
    {
        assert_eq!(tunnel.meets(service.parse().unwrap()), met, "{service}");
    }
}

#[test]
fn without_services_up_there_every_recommended_port_is_used() {
    assert_eq!(source_ports([80, 8080, 49_151, 65_535]), 49_152..65_535);
    assert_eq!(source_ports([49_152]), 49_153..65_535);
    assert_eq!(source_ports([65_534]), 49_152..65_534);
}

proptest! {
    #[test]
    fn no_service_is_in_the_range_and_no_longer_range_is_free(taken in vec(49_000u16.., 0..130)) {
        let range = source_ports(taken.iter().copied());
        prop_assert!(taken.iter().all(|port| !range.contains(port)));
        // By walking port after port.
        let (mut longest, mut run) = (0, 0);
        for port in 49_152u16..65_535 {
            run = if taken.contains(&port) { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        prop_assert_eq!(range.len(), longest);
    }
}
