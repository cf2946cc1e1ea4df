//! The HTTP messages that tshark finds in a file: the second opinion on every capture.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

use mirror_tests::traffic::Body;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A message as tshark shows it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The frame in which it ended, from 1.
    pub frame: u64,
    /// The number of its connection.
    pub stream: u64,
    /// Its `x-id`.
    pub id: Option<String>,
    pub start: Start,
    /// What it carries.
    pub body: Body,
    /// For a response, the frame of its request.
    pub request_in: Option<u64>,
}

/// What it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Request { method: String, target: String },
    Response(u16),
}

/// Every message of a file, in the order in which they ended. Bytes that tshark takes for no message are left out.
pub fn messages(file: &Path) -> Vec<Message> {
    // Segments out of order are put in order only when asked for; what runs on the ports of the services is HTTP.
    let arguments = [
        "-n",
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
        "-Y",
        "http",
        "-T",
        "json",
        "-J",
        "frame tcp http data",
    ];
    let output = Command::new("tshark").arg("-r").arg(file).args(arguments).output().unwrap();
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    let packets: Vec<Tree> = serde_json::from_slice(&output.stdout).unwrap();
    packets.iter().flat_map(in_packet).collect()
}

/// Which request tshark gives to each response, both by `x-id`. Several requests may end in one frame: then the pair
/// is the right one if the right one is among them.
pub fn pairs(messages: &[Message]) -> HashMap<String, Option<String>> {
    let requests = || messages.iter().filter(|message| matches!(message.start, Start::Request { .. }));
    let request_of = |response: &Message| {
        let among = || requests().filter(|request| Some(request.frame) == response.request_in);
        let right = among().find(|request| request.id == response.id);
        right.or(among().next()).and_then(|request| request.id.clone())
    };
    let responses = messages.iter().filter(|message| matches!(message.start, Start::Response(_)));
    responses.filter_map(|response| Some((response.id.clone()?, request_of(response)))).collect()
}

fn in_packet(packet: &Tree) -> Vec<Message> {
    let Some(Tree::Object(layers)) = packet.find("layers") else { panic!("a packet without layers") };
    let number = |name: &str| packet.find(name).and_then(Tree::text).unwrap().parse::<u64>().unwrap();
    let (frame, stream) = (number("frame.number"), number("tcp.stream"));
    let mut messages: Vec<Message> = Vec::new();
    for (name, layer) in layers {
        match (name.as_str(), messages.last_mut()) {
            ("http", _) => messages.extend(message(layer, frame, stream)),
            ("data", Some(message)) => {
                let hex = layer.find("data.data").and_then(Tree::text).unwrap_or_default();
                message.body = Body::of(&bytes(hex));
            }
            _ => {}
        }
    }
    messages
}

fn message(layer: &Tree, frame: u64, stream: u64) -> Option<Message> {
    let text = |name: &str| layer.find(name).and_then(Tree::text).map(str::to_owned);
    let start = match (text("http.request.method"), text("http.response.code")) {
        (Some(method), _) => Start::Request { method, target: text("http.request.uri")? },
        (None, Some(code)) => Start::Response(code.parse().ok()?),
        (None, None) => return None,
    };
    let id = ["http.request.line", "http.response.line"].into_iter().find_map(|name| layer.x_id(name));
    let request_in = text("http.request_in").and_then(|frame| frame.parse().ok());
    Some(Message { frame, stream, id, start, body: Body::of(&[]), request_in })
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split(':').filter(|byte| !byte.is_empty()).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// JSON in which a name may come more than once, as tshark writes it.
enum Tree {
    Text(String),
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Other,
}

impl Tree {
    fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    /// The first of this name, at any depth.
    fn find(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Object(fields) => fields
                .iter()
                .find_map(|(field, value)| if field == name { Some(value) } else { value.find(name) }),
            Tree::Array(values) => values.iter().find_map(|value| value.find(name)),
            Tree::Text(_) | Tree::Other => None,
        }
    }

    fn x_id(&self, line: &str) -> Option<String> {
        let Tree::Object(fields) = self else { return None };
        let lines = fields.iter().filter(|(name, _)| name == line).filter_map(|(_, value)| value.text());
        let mut pairs = lines.filter_map(|line| line.split_once(':'));
        pairs.find(|(name, _)| name.eq_ignore_ascii_case("x-id")).map(|(_, id)| id.trim().to_owned())
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Tree::Array(values))
    }
}
