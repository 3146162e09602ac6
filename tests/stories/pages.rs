//! Somebody follows the pages to the letter: what stands there to be typed works as it stands, and what
//! stands in a table can be read as one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use samsyn_harness::components::{guests, manifest, plugin_file};
use samsyn_harness::world::{Said, World, repository, samsyn, target};

/// Every page of the repository.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![repository()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") {
                folders.push(path);
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// How many cells a line of a table has: a bar in one is written `\|`.
fn cells(line: &str) -> usize {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').filter(|inner| !inner.ends_with('\\')).unwrap_or(inner);
    inner.replace("\\|", "").matches('|').count() + 1
}

fn is_rule(line: &str) -> bool {
    line.contains('-') && line.trim().chars().all(|letter| "|-: ".contains(letter))
}

/// What is wrong with the tables of a page, each with its line; and how many rows they have.
fn faults(page: &str) -> (Vec<String>, usize) {
    let (mut faults, mut rows) = (Vec::new(), 0);
    let mut columns: Option<usize> = None;
    let mut in_code = false;
    let lines: Vec<&str> = page.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code || !line.starts_with('|') {
            columns = None;
            continue;
        }
        match columns {
            None if lines.get(at + 1).is_some_and(|next| is_rule(next)) => columns = Some(cells(line)),
            None => faults.push(format!("line {}: a row of no table", at + 1)),
            Some(wanted) if cells(line) != wanted => {
                faults.push(format!("line {}: {} cells, the heading has {wanted}", at + 1, cells(line)));
            }
            Some(_) => rows += usize::from(!is_rule(line)),
        }
    }
    (faults, rows)
}

#[test]
fn every_row_of_a_table_has_the_cells_of_its_heading() {
    assert_eq!(faults("| a | b |\n|---|---|\n| 1 | 2 |\n| `x\\|y` | |\n"), (vec![], 2));
    assert_eq!(faults("| a | b |\n|---|---|\n\n| 1 | 2 |\n| 1 |\n").0.len(), 2, "an empty line ends it");
    assert_eq!(faults("| a | b |\n|---|---|\n| 1 | `x|y` |\n").0.len(), 1, "code too");
    assert_eq!(faults("```\n| a |\n```\n").0.len(), 0);
    let mut rows = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page is text");
        let (faults, found) = faults(&text);
        assert_eq!(faults, [""; 0], "{}", page.display());
        rows += found;
    }
    assert!(rows > 100, "there are tables: {rows} rows");
}

/// The first block of code behind a heading.
fn block<'a>(page: &'a str, heading: &str) -> &'a str {
    let behind = page.split(heading).nth(1).unwrap_or_else(|| panic!("there is no {heading:?}"));
    behind.split("```\n").nth(1).expect("a block of code follows")
}

/// Runs lines of a page in a shell, in this directory, with the command in its path.
fn typed(world: &World, directory: &Path, lines: &str) -> Said {
    let program = samsyn_harness::world::program();
    let command = program.parent().expect("it lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", lines]).current_dir(directory);
    shell.env("PATH", format!("{}:{path}", command.display())).env("CARGO_NET_OFFLINE", "true");
    shell.env_remove("CARGO_TARGET_DIR").env("SAMSYN_HOST", &world.url).env("SAMSYN_TOKEN", &world.token);
    Said::of(shell.output().expect("a shell can be run")).ok()
}

/// A new plug-in builds where others of these stories were built: nothing is compiled twice.
fn share_builds(plugin: &Path) {
    let shared = target().join("stories");
    std::fs::create_dir_all(&shared).expect("a directory can be made");
    let wasm = shared.join("wasm");
    if !wasm.exists() {
        // Another story may just have made it.
        let _ = std::os::unix::fs::symlink(target().join("wasm"), &wasm);
    }
    std::os::unix::fs::symlink(shared, plugin.join("target")).expect("a link can be made");
}

#[test]
fn the_walk_of_the_page_works_as_it_stands() {
    let world = World::just_with(&[]);
    let page = std::fs::read_to_string(repository().join("docs/plugins.md")).expect("the page is text");
    let walk = block(&page, "## From nothing to installed");
    let (first, rest) = walk.split_once('\n').expect("it has several lines");
    assert!(first.starts_with("samsyn plugin new visits"), "{first}");
    typed(&world, world.directory(), first);
    share_builds(&world.directory().join("visits"));
    let said = typed(&world, world.directory(), rest);
    assert!(said.out.contains("test result: ok"), "{said:?}");
    // The event at its end is heard, and something comes of it.
    assert!(said.out.contains("visits claims visits."), "{said:?}");
    let fields = world.fields("1");
    assert_eq!(fields["visits.orders"], json!(1), "{fields}");
    // So does the next block, in the plug-in's folder.
    let again = typed(&world, &world.directory().join("visits"), block(&page, "## A new version"));
    assert!(again.out.contains("no difference"), "a version differs in nothing from itself: {again:?}");
}

#[test]
fn what_a_new_plug_in_says_of_itself_works_as_it_stands() {
    let world = World::new();
    // In this order: the first makes the customer that the other speaks of.
    for (role, name, shown) in
        [("subscriber", "acme-regulars", "acme_regulars.orders"), ("source", "acme-countries", "SE")]
    {
        typed(&world, world.directory(), &format!("samsyn plugin new {name} --role {role}"));
        let plugin = world.directory().join(name);
        share_builds(&plugin);
        let page = std::fs::read_to_string(plugin.join("README.md")).expect("its page is text");
        let lines: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        assert!(lines.len() >= 5, "{page}");
        // Nobody is there to be asked.
        let lines = lines.join("\n").replace("samsyn plugin install", "samsyn plugin install --yes");
        let said = typed(&world, &plugin, &lines);
        assert!(said.out.contains("test result: ok") && said.out.contains(shown), "{role}: {said:?}");
    }
}

#[test]
fn checking_a_plug_in_says_what_a_host_would_and_what_wasnt_checked() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let check = |path: &str, more: &[&str]| {
        let mut command = samsyn(directory.path());
        Said::of(command.args(["plugin", "check", path]).args(more).output().expect("the command can be run"))
    };
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a directory can be made");
        std::fs::write(path, bytes).expect("a file can be written");
    };
    let assert_says = |said: &Said, words: &[&str]| {
        let all = format!("{}{}", said.out, said.err);
        for word in words {
            assert!(all.contains(word), "{word:?} isn't said: {said:?}");
        }
    };
    // A folder has no code: that is said, and nothing is promised.
    file("fine/plugin.toml", manifest("fine", "[subscribes.\"a.b\"]\n").as_bytes());
    let folder = check("fine", &[]).ok();
    assert_says(&folder, &["plugin.toml is valid", "not checked", "samsyn plugin build fine", "roles"]);
    assert!(!folder.out.contains("accepts it if"), "{folder:?}");
    let folder = check("fine", &["--json"]).ok().json();
    assert_eq!((&folder["checked"], &folder["roles"]), (&json!(["manifest"]), &json!([])), "{folder}");
    // What is wrong with a field in itself is found in a folder too.
    let wrong = manifest("wrong", "[sources]\nsize = { type = \"text\", schema = { type = \"txt\" } }\n");
    file("wrong/plugin.toml", wrong.as_bytes());
    let wrong = check("wrong", &[]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert_says(&wrong, &["size", "schema"]);
    // A host refuses what asks for a role that isn't there; so does the check.
    let observes = manifest("deaf", "[consumes]\nemail = { purposes = [\"service\"], notify = true }\n");
    let deaf = samsyn::sandbox::embed_manifest(&guests::subscriber("", ""), &observes).expect("it fits");
    file("deaf.wasm", &deaf);
    let deaf = check("deaf.wasm", &[]);
    assert_eq!(deaf.code, Some(1), "{deaf:?}");
    assert_says(&deaf, &["notify = true", "observer"]);
    // A built one is compiled, too; what needs a host is said.
    let loyalty = plugin_file("loyalty");
    let loyalty = loyalty.to_str().expect("its path is text");
    assert_says(&check(loyalty, &[]).ok(), &["not checked", "dictionary", "samsyn plugin install --dry-run"]);
    let checked = check(loyalty, &["--json"]).ok().json();
    assert_eq!(checked["checked"], json!(["manifest", "component", "roles", "code"]), "{checked}");
}
