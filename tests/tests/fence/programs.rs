//! Programs and links on a cgroup, as the kernel itself lists them: by libbpf, which the agent's fence does not use.

use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;

use libbpf_sys as libbpf;

/// A link on a cgroup.
pub struct Link {
    pub id: u32,
    pub attach_type: u32,
    descriptor: OwnedFd,
}

/// The links on the cgroup with this number.
pub fn links(cgroup: u64) -> Vec<Link> {
    let mut links = Vec::new();
    let mut id = 0;
    // SAFETY: both pointers are to our own numbers.
    while unsafe { libbpf::bpf_link_get_next_id(id, &raw mut id) } == 0 {
        // SAFETY: takes no pointers; a link may be gone by now.
        let descriptor = unsafe { libbpf::bpf_link_get_fd_by_id(id) };
        if descriptor < 0 {
            continue;
        }
        // SAFETY: it is new and ours.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let mut info = libbpf::bpf_link_info::default();
        let mut length = size_of::<libbpf::bpf_link_info>() as u32;
        let fd = descriptor.as_raw_fd();
        // SAFETY: the structure is ours, and its length is told.
        let asked = unsafe { libbpf::bpf_obj_get_info_by_fd(fd, (&raw mut info).cast(), &raw mut length) };
        assert_eq!(asked, 0, "{}", io::Error::last_os_error());
        // SAFETY: the kind says which of the union is meant.
        let of = unsafe { info.__bindgen_anon_1.cgroup };
        if info.type_ == libbpf::BPF_LINK_TYPE_CGROUP && of.cgroup_id == cgroup {
            links.push(Link { id, attach_type: order(of.attach_type), descriptor });
        }
    }
    links
}

/// The order of the hooks: connect4, connect6, sendmsg4, sendmsg6.
fn order(attach_type: u32) -> u32 {
    let hooks = [
        libbpf::BPF_CGROUP_INET4_CONNECT,
        libbpf::BPF_CGROUP_INET6_CONNECT,
        libbpf::BPF_CGROUP_UDP4_SENDMSG,
        libbpf::BPF_CGROUP_UDP6_SENDMSG,
    ];
    (0..).zip(hooks).find(|(_, hook)| *hook == attach_type).expect("a hook of the fence").0
}

/// Takes the program of a link off, as `bpftool link detach` does.
pub fn detach(link: &Link) {
    // SAFETY: takes no pointers.
    let done = unsafe { libbpf::bpf_link_detach(link.descriptor.as_raw_fd()) };
    assert_eq!(done, 0, "{}", io::Error::last_os_error());
}

/// How many programs are attached to a cgroup's four hooks.
pub fn attached(cgroup: &Path) -> u32 {
    let directory = File::open(cgroup).unwrap();
    let hooks = [
        libbpf::BPF_CGROUP_INET4_CONNECT,
        libbpf::BPF_CGROUP_INET6_CONNECT,
        libbpf::BPF_CGROUP_UDP4_SENDMSG,
        libbpf::BPF_CGROUP_UDP6_SENDMSG,
    ];
    let count = |hook| {
        let (mut flags, mut count, mut ids) = (0, 16, [0u32; 16]);
        let fd = directory.as_raw_fd();
        // SAFETY: the pointers are to our own numbers, and the array has as many as is said.
        let asked =
            unsafe { libbpf::bpf_prog_query(fd, hook, 0, &raw mut flags, ids.as_mut_ptr(), &raw mut count) };
        assert_eq!(asked, 0, "{}", io::Error::last_os_error());
        count
    };
    hooks.into_iter().map(count).sum()
}
