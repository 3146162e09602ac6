//! The purchases: the data file read through the same mapping that `samsyn event import` uses.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::companions::{Customer, Purchase};
use super::script::{Script, Sender};
use samsyn_import as import;
use samsyn_import::ids::{self, Ids};
use samsyn_import::mapping::MappingFile;
use samsyn_import::rounded::RoundedTexts;
use samsyn_import::source;
use samsyn_terminal::CliError;
use samsyn_terminal::error::file_error;

/// Where the data lies in the project.
const DATA_FILE: &str = "examples/data/cdnow-purchases.txt.gz";
/// How its lines become events.
const MAPPING_FILE: &str = "examples/cdnow-mapping.toml";
/// How far up from the program or the current folder the project is looked for.
const FOLDERS_UP_MAX: usize = 5;

/// A customer of the data, as a path names one.
pub fn reference(customer_id: &str) -> String {
    format!("customer_id:{customer_id}")
}

/// Reads at most `limit` purchases into the script. Returns the customers who made them. The file lists one
/// customer's after another's, so a part of it has whole customers.
pub fn read(limit: Option<u64>, script: &mut Script) -> Result<Vec<Customer>, CliError> {
    let [data, mapping] = [find(DATA_FILE)?, find(MAPPING_FILE)?];
    let text = std::fs::read_to_string(&mapping).map_err(|cause| file_error("read", &mapping, &cause))?;
    let unusable = |path: &Path, cause: &dyn std::fmt::Display| {
        CliError::refused(format!("invalid {}", path.display()))
            .because(cause)
            .next("use the project's own file")
    };
    let mapping_file = MappingFile::parse(&text).map_err(|cause| unusable(&mapping, &cause))?;
    let open = |cause| file_error("read", &data, &cause);
    // The ids that importing the file by hand would give, so that doing it once more adds nothing.
    let ids = Ids::new(&ids::digest_label(File::open(&data).map_err(open)?).map_err(open)?);
    let reader = source::open(&data).map_err(open)?;
    let rows = source::columns(reader, &mapping_file, None, ids, &RoundedTexts::default())
        .map_err(|cause| unusable(&mapping, &cause))?;
    let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    collect(rows.take(limit), script).map_err(|cause| unusable(&data, &cause))
}

fn collect(
    rows: impl Iterator<Item = Result<import::Row, import::SourceError>>,
    script: &mut Script,
) -> Result<Vec<Customer>, import::SourceError> {
    let mut customers: Vec<Customer> = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let import::Row { line, json, .. } = row?;
        let broken = |problem: &str| import::SourceError::Bad(import::BadRow::new(line, problem));
        let event: Value = serde_json::from_str(&json).map_err(|cause| broken(&cause.to_string()))?;
        let (id, purchase) =
            purchase(&event).ok_or_else(|| broken("the mapping makes no purchase from it"))?;
        script.add(purchase.at, Sender::Shop, &event);
        let number = *numbers.entry(id.clone()).or_insert_with(|| {
            customers.push(Customer { id, purchases: Vec::new() });
            customers.len() - 1
        });
        customers[number].purchases.push(purchase);
    }
    for customer in &mut customers {
        customer.purchases.sort_by_key(|purchase| purchase.at);
    }
    Ok(customers)
}

/// Whose purchase the event is, and what companions need of it.
fn purchase(event: &Value) -> Option<(String, Purchase)> {
    let at: jiff::Timestamp = event["at"].as_str()?.parse().ok()?;
    let properties = &event["properties"];
    let purchase = Purchase {
        at: at.as_second(),
        order_id: properties["order_id"].as_str()?.to_owned(),
        cents: cents(properties["amount"].as_str()?)?,
    };
    Some((event["identifiers"]["customer_id"].as_str()?.to_owned(), purchase))
}

/// `29.33` is 2,933; digits beyond cents are cut.
fn cents(amount: &str) -> Option<i64> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let part: String = part.chars().chain("00".chars()).take(2).collect();
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

/// A file of the project: seen from the current folder or from where the program lies.
fn find(file: &str) -> Result<PathBuf, CliError> {
    let program = std::env::current_exe().ok();
    let starts = [std::env::current_dir().ok(), program];
    let folders = starts.iter().flatten().flat_map(|start| start.ancestors().take(FOLDERS_UP_MAX));
    folders.map(|folder| folder.join(file)).find(|path| path.is_file()).ok_or_else(|| {
        CliError::usage(format!("{file} is not here")).next("run `samsyn demo` in the project's folder")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_cents() {
        for (amount, expected) in [("29.33", 2_933), ("12", 1_200), ("7.5", 750), ("0.00", 0), ("1.999", 199)]
        {
            assert_eq!(cents(amount), Some(expected), "{amount}");
        }
        assert_eq!(cents("twelve"), None);
        assert_eq!(cents("99999999999999999999"), None);
    }

    #[test]
    fn the_data_file_is_all_there() {
        let mut script = Script::default();
        let customers = read(None, &mut script).unwrap();
        assert_eq!((script.len(), customers.len()), (69_659, 23_570));
        let first = &customers[0];
        assert_eq!((first.id.as_str(), first.purchases[0].cents), ("00001", 1_177));
    }

    #[test]
    fn a_part_of_it_has_whole_customers_but_the_last() {
        let mut script = Script::default();
        let customers = read(Some(100), &mut script).unwrap();
        assert_eq!(script.len(), 100);
        assert_eq!(customers.iter().map(|customer| customer.purchases.len()).sum::<usize>(), 100);
        assert!(customers.iter().all(|customer| customer.purchases.is_sorted_by_key(|purchase| purchase.at)));
    }
}
