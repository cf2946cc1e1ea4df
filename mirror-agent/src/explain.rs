//! Which rule and which bucket decide for a connection, and why: what the kernel does, said from the config.

use std::net::{IpAddr, SocketAddr};

use mirror_common::flow::{Address, FlowKey, TCP, address, mapped};
use mirror_common::share::{WHOLE_PPM, bucket};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Ports, Prefix, Rule, Service};

/// The answer to `explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The service.
    pub service: String,
    /// The client.
    pub client: SocketAddr,
    /// v1, as the client addresses it.
    pub server: SocketAddr,
    /// The rules in their order, up to the one that decides and beyond.
    pub rules: Vec<Step>,
    /// The rule that decides: a ring's name, a number, or `rest`.
    pub decided_by: String,
    /// Its ring.
    pub ring: Option<String>,
    /// Its share.
    pub share: String,
    /// MurmurHash3 of the canonical 5-tuple, as the config's seed has it.
    pub hash: u32,
    /// Where the hash falls among a million; below the share's parts per million it is in.
    pub bucket_ppm: u32,
    /// Whether it is in the share.
    pub mirrored: bool,
    /// The same and what the agent knows, in a sentence.
    pub because: String,
    /// What a running agent knows beside; absent when the answer is a file's.
    pub agent: Option<Running>,
}

/// One rule and the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// A ring's name, or the place in the list, from 1; `rest` is the service itself.
    pub rule: String,
    /// Its share.
    pub share: String,
    /// Whether it decides.
    pub matched: bool,
    /// Why, or why not.
    pub why: String,
}

/// What a running agent knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// What becomes of the connection's packets now: a name of the kernel's ledger.
    pub now: String,
    /// `on`, `paused` or `killed`; absent without a ring.
    pub ring_state: Option<String>,
    /// The service is paused.
    pub paused: bool,
    /// Everything is killed.
    pub killed: bool,
    /// Time that the lease still holds, in seconds.
    pub lease_left_s: f64,
    /// Mirrored connections of the service that are open.
    pub connections_open: u64,
    /// Caps of the service; absent means no cap.
    pub caps: Caps,
    /// What the kernel remembers of the connection; absent when it knows none between these ends.
    pub connection: Option<Connection>,
}

/// Caps of the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Caps {
    /// Packets a second.
    pub packets_per_second: Option<u64>,
    /// Bytes a second.
    pub bytes_per_second: Option<u64>,
    /// New mirrored connections a second.
    pub connections_per_second: Option<u64>,
    /// Mirrored connections at once.
    pub connections: Option<u32>,
    /// How much of a second's worth may come at once, in seconds.
    pub burst_s: f64,
}

/// An entry of the kernel's flow table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// What was decided when it was first seen: `mirror`, `share_out`, `capped` or `own`.
    pub decision: String,
    /// The rule that decided; absent when it is no longer in the config.
    pub decided_by: Option<String>,
    /// Its marks: `counted`, `cut`, `handshake`.
    pub marks: Vec<String>,
    /// Where its turn stands: `idle`, `request` or `response`.
    pub phase: String,
    /// Indices of the interfaces that own the client's direction and the server's; 0 is none yet.
    pub interfaces: [u32; 2],
}

/// Why nothing can be said.
pub const NO_SERVER: &str = "v1 is any address of this host, and the hash depends on it: say with --to which one the client connects to";

/// The rule that decides for a client: its place in the list, or `None` for the rest.
pub fn decide(service: &Service, client: SocketAddr) -> Option<usize> {
    service.rules.iter().position(|rule| rule.has_client(client.ip()) && rule.has_port(client.port()))
}

/// Walks the rules and hashes the connection. `client` and `server` may be written in any family's form.
pub fn explain(service: &Service, client: SocketAddr, server: SocketAddr, seed: u32) -> Explanation {
    let [client, server] = [client, server].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));
    let decided = decide(service, client);
    let rules = service.rules.iter().enumerate().map(|(index, rule)| Step {
        rule: service.rule_name(Some(index)),
        share: rule.share.to_string(),
        matched: decided == Some(index),
        why: if decided.is_some_and(|decided| decided < index) {
            "an earlier rule has decided".into()
        } else {
            why(rule, client)
        },
    });
    let rest = Step {
        rule: service.rule_name(None),
        share: service.share.to_string(),
        matched: decided.is_none(),
        why: if decided.is_none() { "no rule names it" } else { "an earlier rule has decided" }.into(),
    };
    let rule = decided.and_then(|index| service.rules.get(index));
    let share = rule.map_or(service.share, |rule| rule.share);
    let hash = key(client, server).hash(seed);
    let bucket_ppm = bucket(hash, WHOLE_PPM);
    let mirrored = bucket_ppm < share.ppm();
    let relation = if mirrored { "below" } else { "not below" };
    Explanation {
        service: service.name.clone(),
        client,
        server,
        rules: rules.chain([rest]).collect(),
        decided_by: service.rule_name(decided),
        ring: rule.and_then(|rule| rule.ring.clone()),
        share: share.to_string(),
        hash,
        bucket_ppm,
        mirrored,
        because: format!("bucket {bucket_ppm} is {relation} {} of a million ({share})", share.ppm()),
        agent: None,
    }
}

/// The service of that name, or the only one.
///
/// # Errors
///
/// When there is none, or it is not clear which is meant.
pub fn service<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Service, String> {
    let names = || config.services.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, config.services.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("there are several services; name one with --service: {}", names())),
        (Some(name), all) => all
            .iter()
            .find(|one| one.name == name)
            .ok_or_else(|| format!("no such service: {name}; there is: {}", names())),
    }
}

/// The end that a client of the service speaks to: `to`, where v1 is any address of this host.
///
/// # Errors
///
/// When that is needed and not known.
pub fn server(service: &Service, to: Option<IpAddr>) -> Result<SocketAddr, String> {
    match to {
        _ if !service.v1.ip().is_unspecified() => Ok(service.v1),
        Some(ip) => Ok(SocketAddr::new(ip, service.v1.port())),
        None => Err(NO_SERVER.to_owned()),
    }
}

fn why(rule: &Rule, client: SocketAddr) -> String {
    let who = rule.ring.as_ref().map_or("its clients".to_owned(), |ring| format!("ring {ring}"));
    let Some(prefix) = rule.clients.iter().find(|prefix| prefix.contains(client.ip())) else {
        return format!("{} is not in {who}", client.ip());
    };
    let ports: Vec<_> = rule.ports.iter().map(Ports::to_string).collect();
    if !rule.has_port(client.port()) {
        return format!("port {} is not in {}", client.port(), ports.join(", "));
    }
    let mut why = match prefix {
        all if Prefix::ALL.contains(all) => "it names every client".to_owned(),
        prefix => format!("{} is in {who}, by {prefix}", client.ip()),
    };
    if rule.ports != [Ports::ALL] {
        why += &format!("; port {} is in {}", client.port(), ports.join(", "));
    }
    why
}

fn key(client: SocketAddr, server: SocketAddr) -> FlowKey {
    let end = |end: SocketAddr| (to_address(end.ip()), end.port().to_be());
    let ((from, from_port), (to, to_port)) = (end(client), end(server));
    FlowKey::new(&from, from_port, &to, to_port, TCP)
}

fn to_address(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(v4) => mapped(u32::from_ne_bytes(v4.octets())),
        IpAddr::V6(v6) => address(v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Draft;

    const FILE: &str = "\
interfaces: [eth0]
rings:
  team: {clients: [10.1.0.0/16, 'fd01::/16'], share: 100%}
services:
  - name: a
    v1: 10.0.0.4:80
    v2: 10.0.0.5:80
    share: 0%
    rules:
      - {ring: team, ports: [5000, 40000-40099]}
      - {clients: [10.0.0.0/8], share: 5%}
      - {ports: [9], share: 0.0001%}
";

    fn explained(client: &str) -> Explanation {
        let config = Config::build(Draft::default(), Some(("c", FILE))).unwrap();
        explain(&config.services[0], client.parse().unwrap(), config.services[0].v1, 0)
    }

    #[test]
    fn each_rule_says_why() {
        let all = explained("10.1.2.3:40050");
        assert_eq!(
            (all.decided_by.as_str(), all.ring.as_deref(), all.mirrored),
            ("team", Some("team"), true)
        );
        let whys: Vec<_> = all.rules.iter().map(|step| step.why.as_str()).collect();
        assert_eq!(
            whys,
            [
                "10.1.2.3 is in ring team, by 10.1.0.0/16; port 40050 is in 5000, 40000-40099",
                "an earlier rule has decided",
                "an earlier rule has decided",
                "an earlier rule has decided"
            ]
        );
        let five = explained("10.1.2.3:7");
        assert_eq!(five.decided_by, "2");
        assert_eq!(five.rules[0].why, "port 7 is not in 5000, 40000-40099");
        let rest = explained("[2000::1]:7");
        assert_eq!((rest.decided_by.as_str(), rest.mirrored), ("rest", false));
        assert_eq!(rest.rules[0].why, "2000::1 is not in ring team");
        assert_eq!(rest.rules[3].why, "no rule names it");
        assert_eq!(explained("[2000::1]:9").decided_by, "3");
    }

    #[test]
    fn the_hash_is_the_published_one() {
        let one = explained("10.1.2.3:40050");
        assert_eq!(one.hash, explained("[::ffff:10.1.2.3]:40050").hash);
        assert_eq!(u64::from(one.bucket_ppm), (u64::from(one.hash) * 1_000_000) >> 32);
    }
}
