//! How a running agent is asked and told: HTTP over a Unix socket, and what only reads over TCP too.

mod chaos;
mod gates;
pub mod server;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The control socket; its file goes when this is dropped.
pub struct Socket {
    /// Accepts control connections.
    pub listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket, for its owner only. A file that a killed predecessor left is taken over.
    ///
    /// # Errors
    ///
    /// When a living agent listens there, or the path cannot be used.
    pub fn bind(path: &Path) -> Result<Self> {
        if UnixStream::connect(path).is_ok() {
            bail!("another agent listens on {} (choose another path with --control)", path.display());
        }
        let what = || format!("bind the control socket {}", path.display());
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory).with_context(what)?;
        }
        remove_old(path).with_context(what)?;
        // Between bind and chmod nobody else may connect, so the mode is right from the start.
        let before = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(path);
        nix::sys::stat::umask(before);
        let listener = listener.with_context(what)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).with_context(what)?;
        listener.set_nonblocking(true).with_context(what)?;
        Ok(Socket { listener, path: path.into() })
    }
}

/// Removes a socket that nobody listens on. Any other file is somebody's, named by mistake.
fn remove_old(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => Ok(fs::remove_file(path)?),
        Ok(_) => bail!("the file is there and is not a socket"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
