//! What cannot be true at once: names, endpoints and interfaces that are used twice.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::SERVICES_MAX;
use super::draft::{Draft, Said, ServiceDraft};
use super::errors::{Errors, Place};

/// Names every clash in `draft`.
pub fn check(draft: &Draft, errors: &mut Errors) {
    if let Some(one_too_many) = draft.services.get(SERVICES_MAX) {
        let what = format!("more than {SERVICES_MAX} services, which is all the kernel side holds");
        errors.add(&one_too_many.at, what);
    }
    check_shadow(draft, errors);
    check_names(&draft.services, errors);
    check_endpoints(&draft.services, errors);
    super::fence::check(&draft.services, errors);
}

fn check_shadow(draft: &Draft, errors: &mut Errors) {
    let Some(shadow) = &draft.shadow_interface else { return };
    let name = shadow.value.existing();
    if draft.interfaces.iter().any(|tapped| Some(tapped.value.as_str()) == name) {
        let what = format!("{} is tapped too: its clones would be cloned again", shadow.value);
        errors.add_to(&shadow.at, "shadow_interface", &what);
    }
    let services = draft.services.iter().flat_map(|service| [&service.v1, &service.v2]).flatten();
    let meets =
        |said: &&Said<SocketAddr>| shadow.value.tunnel().is_some_and(|tunnel| tunnel.meets(said.value));
    for service in services.filter(meets) {
        let what = format!("leads to {}, a service: the clones would be cloned again", service.value);
        errors.add_to(&shadow.at, "shadow_interface", &what);
    }
}

fn check_names(services: &[ServiceDraft], errors: &mut Errors) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    for Said { value: name, at } in services.iter().filter_map(|service| service.name.as_ref()) {
        match seen.get(name.as_str()) {
            Some(first) => errors.add_to(at, "name", &format!("{name} is taken already, at {first}")),
            None => drop(seen.insert(name, at)),
        }
    }
}

/// One endpoint is one version of one service: the kernel looks packets up by it and books their turns there.
fn check_endpoints(services: &[ServiceDraft], errors: &mut Errors) {
    let mut seen: HashMap<(IpAddr, u16), (&str, &Place)> = HashMap::new();
    for service in services {
        let own_v1 = service.v1.as_ref().map(key);
        for (role, said) in [("v1", &service.v1), ("v2", &service.v2)] {
            let Some(said) = said else { continue };
            let (addr, at) = (said.value, &said.at);
            if role == "v2" && own_v1 == Some(key(said)) {
                let what = format!("{addr} is v1 itself, which would get its own requests again");
                errors.add_to(at, role, &what);
            } else if role == "v2" && addr.ip().is_unspecified() {
                errors.add_to(at, role, &format!("{addr} is no address that can be connected to"));
            } else if let Some((other, first)) = seen.get(&key(said)) {
                errors.add_to(at, role, &format!("{addr} is a {other} already, at {first}"));
            } else {
                seen.insert(key(said), (role, at));
            }
        }
    }
}

fn key(said: &Said<SocketAddr>) -> (IpAddr, u16) {
    (said.value.ip(), said.value.port())
}
