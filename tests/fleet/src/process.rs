//! What processes cost: CPU time and memory, from the kernel's tables.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// What one process and those it waited for have used.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    parent: u32,
    own_ticks: u64,
    children_ticks: u64,
}

/// CPU time of a process, its threads included.
pub fn cpu(pid: u32) -> Result<Duration> {
    let times = times(pid).with_context(|| format!("process {pid} is gone"))?;
    Ok(ticks(times.own_ticks))
}

/// CPU time of a server and of all processes it made, ended ones included.
pub fn cpu_with_children(pid: u32) -> Result<Duration> {
    let server = times(pid).with_context(|| format!("process {pid} is gone"))?;
    let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids.filter_map(times).filter(|times| times.parent == pid);
    let children: u64 = children.map(|times| times.own_ticks + times.children_ticks).sum();
    Ok(ticks(server.own_ticks + server.children_ticks + children))
}

/// Memory that a process holds, in MiB.
pub fn resident_mib(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// How many files a process has open.
pub fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

fn times(pid: u32) -> Option<Times> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The line of `/proc/PID/stat`: the name in brackets may hold anything, so it is counted from its end.
fn parse(stat: &str) -> Option<Times> {
    let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    Some(Times {
        parent: u32::try_from(number(1)?).ok()?,
        own_ticks: number(11)? + number(12)?,
        children_ticks: number(13)? + number(14)?,
    })
}

/// The kernel counts in hundredths of a second towards programs, whatever it does inside.
fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let stat = "42 (a b) c) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 100 1000 50";
        let expected = Times { parent: 7, own_ticks: 33, children_ticks: 77 };
        assert_eq!(parse(stat), Some(expected));
    }

    #[test]
    fn this_process_has_used_memory_and_files() {
        let own = std::process::id();
        assert!(resident_mib(own).unwrap() > 1.0 && open_files(own).unwrap() > 2);
        // Time goes on between the two readings.
        let alone = cpu(own).unwrap();
        assert!(cpu_with_children(own).unwrap() >= alone);
    }
}
