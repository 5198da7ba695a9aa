//! How much memory the machine has, and what of it is for rows.

use std::fs::read_to_string;

use headwater_types::limits::MEMORY_BYTES_DEFAULT;

/// Of ten parts of the machine's memory, those for rows, indexes and views. The rest is for what comes and goes: request
/// bodies, queries, the opening of workspaces, the operating system's cache.
const TENTHS: u64 = 6;

/// Bytes that all workspaces together may hold unless somebody says otherwise.
pub(crate) fn share_of_the_machine() -> u64 {
    machine_bytes().map_or(MEMORY_BYTES_DEFAULT, |bytes| bytes / 10 * TENTHS)
}

/// The machine's memory, or what the container leaves of it.
fn machine_bytes() -> Option<u64> {
    let all = read_to_string("/proc/meminfo").ok().as_deref().and_then(mem_total);
    let container = read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|max| max.trim().parse().ok());
    all.into_iter().chain(container).min()
}

fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read_as_the_kernel_writes_it() {
        assert_eq!(mem_total("MemFree:  1 kB\nMemTotal:       24576 kB\n"), Some(24 << 20));
        assert_eq!(mem_total("MemFree:  1 kB\n"), None);
    }
}
