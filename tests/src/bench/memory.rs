//! How much memory a process, or a process with everything it started, really takes: PSS, in which a page
//! that several processes share counts for each with its part only.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs;

/// PSS of one process, in MiB.
pub fn pss_mib(pid: u32) -> Result<f64> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// PSS of a process and all that descend from it, in MiB, and how many there are.
pub fn tree_pss_mib(root: u32) -> Result<(f64, usize)> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut sum, mut count, mut todo) = (pss_mib(root)?, 1, vec![root]);
    while let Some(pid) = todo.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            // One that ended in between takes nothing.
            sum += pss_mib(child).unwrap_or(0.0);
            count += 1;
            todo.push(child);
        }
    }
    Ok((sum, count))
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may hold anything; state and parent follow the last bracket.
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(1)?.parse().ok()
}
