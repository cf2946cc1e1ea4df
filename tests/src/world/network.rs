//! Makes the namespaces, the wires and the routes of a world.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::{Host, World};

/// Settings of every namespace. BBR, the default of some hosts, stalls on wires this short; reno does not.
const EVERYWHERE: [(&str, &str); 1] = [("ipv4/tcp_congestion_control", "reno")];

/// Settings of the node: it routes.
const NODE: [(&str, &str); 2] = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];

pub(super) fn build(world: &World) -> Result<()> {
    for host in Host::ALL {
        let name = world.namespace(host);
        ip(&["netns", "add", &name], "")?;
        ip(&["-n", &name, "-batch", "-"], "link set lo up\n")?;
        configure(world, host, &EVERYWHERE)?;
    }
    configure(world, Host::Node, &NODE)?;
    [Host::Client, Host::V1, Host::V2].into_iter().try_for_each(|host| wire(world, host))
}

/// Connects `host` with the node. `nodad` because an address that is still being checked for duplicates cannot be
/// bound, and nobody else is on the wire.
pub(super) fn wire(world: &World, host: Host) -> Result<()> {
    let (leg, port) = (host.leg(), host.interface());
    let (node, peer) = (world.namespace(Host::Node), world.namespace(host));
    let at_the_node = format!(
        "link add {port} type veth peer name eth0 netns {peer}\n\
         addr add 10.77.{leg}.1/24 dev {port}\n\
         addr add fd77:{leg}::1/64 dev {port} nodad\n\
         link set {port} up\n"
    );
    let at_the_peer = format!(
        "addr add {}/24 dev eth0\n\
         addr add {}/64 dev eth0 nodad\n\
         link set eth0 up\n\
         route add 0.0.0.0/0 via 10.77.{leg}.1\n\
         route add ::/0 via fd77:{leg}::1\n",
        host.ipv4(),
        host.ipv6()
    );
    ip(&["-n", &node, "-batch", "-"], &at_the_node)?;
    ip(&["-n", &peer, "-batch", "-"], &at_the_peer)
}

/// Writes settings below `/proc/sys/net`, which shows each thread those of its own namespace.
fn configure(world: &World, host: Host, settings: &[(&str, &str)]) -> Result<()> {
    let write = |(name, value): &(&str, &str)| {
        fs::write(format!("/proc/sys/net/{name}"), value)
            .with_context(|| format!("set net/{name} to {value}"))
    };
    world.enter(host, || settings.iter().try_for_each(write))?
}

/// Runs `ip` with `commands` as its input.
pub(super) fn ip(arguments: &[&str], commands: &str) -> Result<()> {
    let mut child = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start ip")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(commands.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
