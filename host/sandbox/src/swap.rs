//! Whether this machine may write a process's pages out to swap.

/// Whether it may now. Where nobody can say, it may.
pub(super) fn is_on() -> bool {
    #[cfg(target_os = "linux")]
    return match std::fs::read_to_string("/proc/swaps") {
        Ok(table) => lists_any(&table),
        // A kernel without swap has no such file.
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    // The quick way that swap forbids is Linux's alone.
    #[cfg(not(target_os = "linux"))]
    return false;
}

/// Whether a table as Linux has it in `/proc/swaps` lists a place: one a line, after a line of titles.
#[cfg(any(target_os = "linux", test))]
fn lists_any(table: &str) -> bool {
    table.lines().skip(1).any(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_swap_to_is_seen() {
        let titles = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        let table = [
            ("", false),
            (titles, false),
            ("Filename Type Size Used Priority", false),
            (&format!("{titles}\n"), false),
            (&format!("{titles}/swapfile                               file\t\t2097148\t\t0\t\t-2\n"), true),
            (&format!("{titles}/dev/zram0 partition 4194300 0 100\n/dev/dm-1 partition 9 0 -3\n"), true),
        ];
        for (text, on) in table {
            assert_eq!(lists_any(text), on, "{text:?}");
        }
    }
}
