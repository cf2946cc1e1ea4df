//! Inside the agent edges import the middle and never each other; the middle imports no edge and touches no world.

use super::paths;
use super::source::Source;

/// The layers. A layer may use itself if `inward` says so, and the layers named in `below`.
const LAYERS: [Layer; 6] = [
    Layer {
        name: "middle",
        modules: &[
            "packet",
            "stream",
            "http",
            "exchange",
            "select",
            "coding",
            "compare",
            "rewrite",
            "roles",
            "route",
            "time",
            "config",
            "judge",
            "contracts",
            "guard",
            "ramp",
            "budget",
            "probe",
        ],
        below: &[],
        inward: true,
        pure: true,
    },
    // What several edges hold in common: counts, settings, and the middle put together.
    Layer {
        name: "shared",
        modules: &[
            "status",
            "latency",
            "ledger",
            "differences",
            "service",
            "pipeline",
            "explain",
            "judging",
            "chaos",
        ],
        below: &["middle"],
        inward: true,
        pure: true,
    },
    Layer {
        name: "edge",
        modules: &["kernel", "intake", "replay", "rights"],
        below: &["middle", "shared"],
        inward: false,
        pure: false,
    },
    // What runs, made of the edges.
    Layer {
        name: "agent",
        modules: &["agent"],
        below: &["middle", "shared", "edge"],
        inward: true,
        pure: false,
    },
    // What the world sees of it; `control` serves the scrape that `metrics` encodes.
    Layer {
        name: "surface",
        modules: &["metrics", "control"],
        below: &["middle", "shared", "agent"],
        inward: true,
        pure: false,
    },
    // One composition root for each way to use the program: `run`, `capture`, `read`, `playback`, `check`, and the commands.
    Layer {
        name: "root",
        modules: &["lib", "main", "run", "cli", "remote", "capture", "read", "playback", "check", "logging"],
        below: &["middle", "shared", "edge", "agent", "surface"],
        inward: true,
        pure: false,
    },
];

/// Arrows that the layers forbid and that stand all the same, as `(from, to)`. Give the reason beside each.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// What nothing pure may name: time is told, and bytes are given.
const WORLD: [&str; 10] = [
    "tokio",
    "aya",
    "prometheus_client",
    "tracing",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "thread::spawn",
    "Instant::now",
    "SystemTime",
];

struct Layer {
    name: &'static str,
    modules: &'static [&'static str],
    below: &'static [&'static str],
    inward: bool,
    pure: bool,
}

impl Layer {
    fn of(module: &str) -> Option<&'static Layer> {
        LAYERS.iter().find(|layer| layer.modules.contains(&module))
    }

    fn may_use(&self, other: &Layer) -> bool {
        self.below.contains(&other.name) || (self.inward && self.name == other.name)
    }
}

/// Every arrow that points the wrong way.
pub(super) fn faults(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(in_source).collect()
}

fn in_source(source: &Source) -> Vec<String> {
    let Some(layer) = Layer::of(&source.module) else {
        return vec![format!("{}: module `{}` is in no layer (see LAYERS)", source.file, source.module)];
    };
    let mut faults = wrong_arrows(source, layer);
    if layer.pure {
        let named = WORLD.into_iter().filter(|word| paths::names(&source.code, word));
        faults.extend(
            named.map(|word| format!("{}: the {} is pure, but names `{word}`", source.file, layer.name)),
        );
    }
    faults
}

fn wrong_arrows(source: &Source, layer: &Layer) -> Vec<String> {
    let from = source.module.as_str();
    let wrong = |to: &String| {
        let Some(other) = Layer::of(to) else { return false }; // a type of the crate's root, or its own module's fault
        *to != from && !layer.may_use(other) && !EXCEPTIONS.contains(&(from, to))
    };
    let used = paths::modules_used(&source.code, source.depth);
    let say = |to: String| format!("{}: {} `{from}` must not use `{to}`", source.file, layer.name);
    used.into_iter().filter(wrong).map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, code: &str, expected: &[&str]) {
        let found = faults(&[Source::new(file, code)]);
        assert_eq!(found.len(), expected.len(), "{file}: {found:?}");
        for (fault, part) in found.iter().zip(expected) {
            assert!(fault.contains(part), "{fault} has no {part}");
        }
    }

    #[test]
    fn the_middle_uses_only_itself() {
        check("http/h1.rs", "use crate::stream::Event;", &[]);
        check("http/h1.rs", "use crate::{stream::Event, replay::Client};", &["`replay`"]);
        check("http.rs", "fn f() { crate::metrics::count() }", &["`metrics`"]);
        check("http.rs", "use super::control;", &["`control`"]);
        check("http.rs", "use crate::status::Status;", &["`status`"]);
    }

    #[test]
    fn the_middle_is_pure() {
        check("stream.rs", "use std::time::Duration;", &[]);
        check("stream.rs", "use std::time::{Duration, SystemTime};", &["`SystemTime`"]);
        check("stream.rs", "let t = Instant::now();", &["`Instant::now`"]);
        check("stream.rs", "use tokio::sync::mpsc;", &["`tokio`"]);
        check("stream.rs", "// tokio would do this\nlet tokiox = 1;", &[]);
        check("stream.rs", "use std::net::{IpAddr, TcpStream};", &["`std::net::TcpStream`"]);
        check("stream.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use tokio::x; }", &[]);
        check("replay.rs", "use tokio::sync::mpsc;", &[]);
    }

    #[test]
    fn edges_do_not_know_each_other() {
        check("replay/client.rs", "use crate::intake::Frame;", &["edge `replay` must not use `intake`"]);
        check("replay/client.rs", "use crate::replay::Limits; use super::super::packet::Segment;", &[]);
        check("replay/client.rs", "use super::super::kernel::Map;", &["`kernel`"]);
        check("run.rs", "use crate::{kernel, intake, replay, http};", &[]);
        check("kernel.rs", "use crate::run::Run;", &["`run`"]);
    }

    #[test]
    fn every_module_has_its_layer() {
        check("surprise.rs", "", &["`surprise` is in no layer"]);
    }

    #[test]
    fn layers_name_layers() {
        for layer in &LAYERS {
            assert!(layer.below.iter().all(|below| LAYERS.iter().any(|other| other.name == *below)));
        }
    }
}
