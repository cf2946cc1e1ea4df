//! A fence in the making: what the file says of it, and what is wrong with that.

use std::path::{Component, Path, PathBuf};

use mirror_common::fence::DESTINATIONS;

use super::{Destination, Fence, FenceMode, whole};
use crate::config::draft::Said;
use crate::config::errors::{Errors, Place};
use crate::config::prefix::{Ports, Prefix};
use crate::config::role::Role;
use crate::config::section::Section;
use crate::config::values;

/// A [`Fence`] in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceDraft {
    /// Where it stands.
    pub at: Place,
    /// The cgroup of v2.
    pub cgroup: Option<Said<PathBuf>>,
    /// What is done about other calls.
    pub mode: Option<Said<FenceMode>>,
    /// The cgroup of v1.
    pub v1_cgroup: Option<Said<PathBuf>>,
    /// Where v2 may call.
    pub allow: Vec<DestinationDraft>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

/// A [`Destination`] in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationDraft {
    /// Where it stands.
    pub at: Place,
    /// Its name.
    pub name: Option<Said<String>>,
    /// Its addresses.
    pub to: Option<Vec<Said<Prefix>>>,
    /// Its ports.
    pub ports: Option<Vec<Said<Ports>>>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

impl FenceDraft {
    /// Reads the fence of a service, if it has one.
    pub fn read(service: &mut Section<'_>) -> Option<FenceDraft> {
        let mut keys = service.section("fence")?;
        let draft = FenceDraft {
            at: keys.at.clone(),
            cgroup: keys.value("cgroup", cgroup),
            mode: keys.value("mode", mode),
            v1_cgroup: keys.value("v1_cgroup", cgroup),
            allow: keys.sections("allow").into_iter().map(destination).collect(),
            refused: Vec::new(),
        };
        keys.finish();
        Some(FenceDraft { refused: keys.refused, ..draft })
    }

    /// Completes it, and names what is wrong with it. `None` only after naming what is missing, here or where it was
    /// refused.
    pub fn complete(self, v2_role: Role, errors: &mut Errors) -> Option<Fence> {
        let mode = self.mode.as_ref().map_or(FenceMode::default(), |said| said.value);
        if self.cgroup.is_none() && !self.refused.contains(&"cgroup") {
            errors.add(&self.at, "a fence has no cgroup: name the one that v2's processes are in");
        }
        if v2_role == Role::Observed && mode == FenceMode::Deny {
            let what =
                "v2 carries users' traffic (v2_role: observed), which a fence would harm: say mode: report";
            errors.add(&self.at, what);
        }
        if let Some(one_too_many) = self.allow.get(DESTINATIONS) {
            let what = format!(
                "more than {DESTINATIONS} destinations, which is all the kernel side holds for a fence"
            );
            errors.add(&one_too_many.at, what);
        }
        check_names(&self.allow, errors);
        whole::check(&self.allow, errors);
        let allow = self.allow.iter().filter_map(|draft| draft.complete(errors)).collect();
        let v1_cgroup = self.v1_cgroup.map(|said| said.value);
        Some(Fence { cgroup: self.cgroup?.value, mode, v1_cgroup, allow })
    }
}

fn destination(mut keys: Section<'_>) -> DestinationDraft {
    let name = keys.value("name", name);
    let to = keys.list("to", Prefix::parse);
    let ports = keys.list("ports", Ports::parse);
    keys.finish();
    DestinationDraft { at: keys.at, name, to, ports, refused: keys.refused }
}

impl DestinationDraft {
    fn complete(&self, errors: &mut Errors) -> Option<Destination> {
        let is_refused = |key| self.refused.contains(&key);
        if self.name.is_none() && !is_refused("name") {
            errors.add(&self.at, "a destination needs a name");
        }
        if self.to.as_ref().is_none_or(Vec::is_empty) && !is_refused("to") {
            errors.add(
                &self.at,
                "a destination has no addresses: give it prefixes, for example to: [10.0.3.0/24]",
            );
        }
        if self.ports.as_ref().is_some_and(Vec::is_empty) && !is_refused("ports") {
            errors.add(
                &self.at,
                "a destination whose ports are none can never be called: leave ports out to name all",
            );
        }
        let values = |said: &Vec<Said<Prefix>>| said.iter().map(|said| said.value).collect();
        Some(Destination {
            name: self.name.as_ref()?.value.clone(),
            to: self.to.as_ref().map(values)?,
            ports: self.all_ports(),
        })
    }

    /// Every port where none is named.
    pub(super) fn all_ports(&self) -> Vec<Ports> {
        let said = |said: &Vec<Said<Ports>>| Ports::merge(said.iter().map(|said| said.value).collect());
        self.ports.as_ref().map_or_else(|| vec![Ports::ALL], said)
    }
}

fn check_names(allow: &[DestinationDraft], errors: &mut Errors) {
    let names: Vec<_> = allow.iter().filter_map(|one| one.name.as_ref()).collect();
    for (index, said) in names.iter().enumerate() {
        if let Some(first) = names.iter().take(index).find(|other| other.value == said.value) {
            errors.add_to(&said.at, "name", &format!("{} is taken already, at {}", said.value, first.at));
        }
    }
}

/// The path of a cgroup. Whether it is there, and is one, is seen when it is fenced.
fn cgroup(text: &str) -> Result<PathBuf, String> {
    let path: PathBuf = Path::new(text).components().filter(|part| *part != Component::CurDir).collect();
    let shown = text.escape_debug();
    if path.components().any(|part| part == Component::ParentDir) || text.contains('\0') {
        return Err(format!("\"{shown}\" is not the path of a cgroup: write it without .."));
    }
    if path.file_name().is_none() {
        return Err(format!(
            "\"{shown}\" names no cgroup: write for example system.slice/checkout-v2.service"
        ));
    }
    Ok(path)
}

fn mode(text: &str) -> Result<FenceMode, String> {
    match text {
        "deny" => Ok(FenceMode::Deny),
        "report" => Ok(FenceMode::Report),
        _ => Err(format!("{text:?} is neither deny nor report")),
    }
}

/// The name of a destination, where all others are `other`.
fn name(text: &str) -> Result<String, String> {
    match values::service_name(text) {
        Ok(name) if name == "other" => {
            Err("other is what no destination covers: choose another name".to_owned())
        }
        Ok(name) => Ok(name),
        Err(_) => Err(format!("{text:?} is not a destination's name: 1 to 32 of a-z, 0-9, _ and -")),
    }
}
