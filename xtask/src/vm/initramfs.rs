//! All that a guest has: an archive that the kernel unpacks into memory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cpio::newc::{Builder, ModeFileType, trailer};

use super::Asked;
use super::kernel::Kernel;
use super::libraries::with_libraries;
use super::modules::{self, Module};
use super::suites::{Programs, Suite};

/// Programs of this machine that the guest uses.
const TOOLS: [&str; 3] = ["busybox", "ip", "tc"];

/// Directories that are empty, or that something is mounted on.
const DIRECTORIES: [&str; 6] = ["proc", "sys", "dev", "tmp", "run", "etc"];

/// Writes it into `directory`.
pub(super) fn write(directory: &Path, kernel: &Kernel, programs: &Programs, asked: Asked) -> Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let path = directory.join("initramfs");
    let modules = modules::of(kernel)?;
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    DIRECTORIES.iter().try_for_each(|name| archive.directory(Path::new(name)))?;
    archive.file("init", init(&modules, &programs.suites, asked).as_bytes())?;
    for module in &modules {
        archive.file(&module.path(), &module.content)?;
    }
    for tool in TOOLS {
        add_tool(&mut archive, tool)?;
    }
    let suites = programs.suites.iter().map(|suite| (suite.name, &suite.file));
    for (name, file) in suites.chain(programs.beside.iter().map(|(name, file)| (*name, file))) {
        archive.file(&format!("bin/{name}"), &read(file)?)?;
    }
    archive.finish()?;
    Ok(path)
}

/// The program below `/bin`, and its libraries where its loader looks for them.
fn add_tool(archive: &mut Archive<impl Write>, tool: &str) -> Result<()> {
    let files = with_libraries(tool)?;
    let [program, libraries @ ..] = files.as_slice() else { return Ok(()) };
    archive.file(&format!("bin/{tool}"), &read(program)?)?;
    libraries.iter().try_for_each(|file| archive.file(&relative(file), &read(file)?))
}

fn relative(file: &Path) -> String {
    file.to_string_lossy().trim_start_matches('/').to_owned()
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("read {}", file.display()))
}

/// What the guest does. Its second serial port is for us alone; the kernel writes to the first.
fn init(modules: &[Module], suites: &[Suite], asked: Asked) -> String {
    let load =
        |module: &Module| format!("insmod /{} || echo '@@ broken insmod {}'\n", module.path(), module.name);
    let loads: String = modules.iter().map(load).collect();
    let runs: String = suites.iter().map(|suite| run(suite, asked)).collect();
    let update = if asked.update_verified { "export MIRROR_UPDATE_VERIFIED=1\n" } else { "" };
    format!(
        "#!/bin/busybox sh\n\
         export PATH=/bin HOME=/\n\
         /bin/busybox --install -s /bin 2>/dev/null\n\
         mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n\
         mount -t tmpfs run /run; mount -t tmpfs tmp /tmp; mount -t cgroup2 cgroup2 /sys/fs/cgroup\n\
         exec </dev/null >/dev/ttyS1 2>&1\n\
         {loads}\
         export MIRROR_AGENT_BIN=/bin/mirror-agent MIRROR_GUEST=1 RUST_BACKTRACE=0\n\
         {update}\
         {runs}\
         echo '@@ done'\n\
         poweroff -f\n"
    )
}

fn run(suite: &Suite, asked: Asked) -> String {
    let skips = suite.left_out.iter().map(|(test, _)| format!(" --skip {test}"));
    let more = asked.rest.iter().map(|word| format!(" '{}'", word.replace('\'', r"'\''")));
    let (name, arguments): (_, String) = (suite.name, skips.chain(more).collect());
    let left_out = suite.left_out.iter().map(|(test, why)| format!("echo '@@ left-out {test} {why}'\n"));
    format!(
        "echo '@@ suite {name}'\n\
         {}\
         /bin/{name} --test-threads=1{arguments}\n\
         echo \"@@ ended $?\"\n",
        left_out.collect::<String>()
    )
}

/// An archive of the kind that the kernel takes ("newc"), in which every directory comes before what is in it.
struct Archive<W> {
    out: W,
    entries: BTreeSet<PathBuf>,
}

impl<W: Write> Archive<W> {
    fn new(out: W) -> Archive<W> {
        Archive { out, entries: BTreeSet::new() }
    }

    /// A program or a file; all may be run. One that is there already stays.
    fn file(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let path = Path::new(path);
        path.parent().map_or(Ok(()), |parent| self.directory(parent))?;
        self.add(path, ModeFileType::Regular, content)
    }

    fn directory(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        path.parent().map_or(Ok(()), |parent| self.directory(parent))?;
        self.add(path, ModeFileType::Directory, &[])
    }

    fn add(&mut self, path: &Path, kind: ModeFileType, content: &[u8]) -> Result<()> {
        if !self.entries.insert(path.to_owned()) {
            return Ok(());
        }
        // Files with one number and several links would be taken for one file.
        let number = self.entries.len().try_into()?;
        let entry = Builder::new(&path.to_string_lossy()).ino(number).nlink(1).mode(0o755);
        let mut entry = entry.set_mode_file_type(kind).write(&mut self.out, content.len().try_into()?);
        entry.write_all(content)?;
        entry.finish()?;
        Ok(())
    }

    fn finish(self) -> Result<()> {
        Ok(trailer(self.out)?.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_first_and_nothing_comes_twice() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        for path in ["lib/a/b.so", "lib/a/c.so", "lib/a/b.so"] {
            archive.file(path, b"x").unwrap();
        }
        archive.finish().unwrap();
        let mut names = Vec::new();
        let mut rest = &bytes[..];
        loop {
            let reader = cpio::NewcReader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            names.push(reader.entry().name().to_owned());
            rest = reader.finish().unwrap();
        }
        assert_eq!(names, ["lib", "lib/a", "lib/a/b.so", "lib/a/c.so"]);
    }
}
