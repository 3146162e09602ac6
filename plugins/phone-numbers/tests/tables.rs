//! Makes `src/tables.rs` out of the numbering plans in `phonenumber`, and proves that what is
//! checked in is what comes out. `PHONE_NUMBERS_WRITE=1 cargo test -p phone-numbers --test tables`
//! writes it anew after `cargo update -p phonenumber`.

use std::collections::HashMap;
use std::fmt::Write as _;

use phonenumber::metadata::{DATABASE, Descriptor, Metadata};
use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

/// E.164: calling code and national number together.
const DIGITS_MAX: usize = 15;
/// What a national number may be preceded by at home is shorter than this.
const PREFIX_DIGITS_MAX: usize = 12;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tables.rs");

/// One regular language over digits, of words of certain lengths; `mark` is what a match means.
struct Language {
    dfa: dense::DFA<Vec<u32>>,
    lengths: Option<Vec<u16>>,
    mark: u16,
}

impl Language {
    fn new(pattern: &str, lengths: Option<Vec<u16>>, mark: u16) -> Language {
        let bare: String = pattern.split_whitespace().collect();
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().match_kind(MatchKind::All))
            .build(&format!("^(?:{bare})$"))
            .expect(&bare);
        Language { dfa, lengths, mark }
    }

    fn start(&self) -> StateID {
        self.dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).expect("an anchored start")
    }

    fn mark_at(&self, state: StateID, digits: usize) -> u16 {
        let fits = self.lengths.as_ref().is_none_or(|all| all.contains(&(digits as u16)));
        let matches = self.dfa.is_match_state(self.dfa.next_eoi_state(state));
        if fits && matches { self.mark } else { 0 }
    }
}

/// Automata that share every state they can: equal states are one node.
#[derive(Default)]
struct Nodes {
    words: Vec<u16>,
    known: HashMap<(u16, [u16; 10]), u16>,
}

impl Nodes {
    fn root(&mut self, languages: &[Language], digits_max: usize) -> u16 {
        let states: Vec<StateID> = languages.iter().map(Language::start).collect();
        self.node(languages, &states, 0, digits_max, &mut HashMap::new())
    }

    fn node(
        &mut self,
        languages: &[Language],
        states: &[StateID],
        digits: usize,
        digits_max: usize,
        memo: &mut HashMap<(Vec<StateID>, usize), u16>,
    ) -> u16 {
        if let Some(&known) = memo.get(&(states.to_vec(), digits)) {
            return known;
        }
        let marks = languages.iter().zip(states).map(|(language, &state)| language.mark_at(state, digits));
        let mark = marks.max().unwrap_or(0);
        let mut children = [0; 10];
        if digits < digits_max {
            for (digit, child) in (b'0'..=b'9').zip(&mut children) {
                let next: Vec<StateID> = languages
                    .iter()
                    .zip(states)
                    .map(|(language, &state)| language.dfa.next_state(state, digit))
                    .collect();
                *child = self.node(languages, &next, digits + 1, digits_max, memo);
            }
        }
        let node = self.intern(mark, children);
        memo.insert((states.to_vec(), digits), node);
        node
    }

    /// A head (mark and which digits go on), then where they go: one word when all go the same way.
    fn intern(&mut self, mark: u16, children: [u16; 10]) -> u16 {
        if mark == 0 && children == [0; 10] {
            return 0;
        }
        if let Some(&known) = self.known.get(&(mark, children)) {
            return known;
        }
        if self.words.is_empty() {
            self.words.push(0);
        }
        let node = u16::try_from(self.words.len()).expect("the tables fit 16 bits");
        let live: Vec<u16> = children.iter().copied().filter(|&child| child != 0).collect();
        let digits = (0..10).filter(|&digit| children[digit] != 0).fold(0, |mask, digit| mask | 1 << digit);
        let same = live.windows(2).all(|pair| pair[0] == pair[1]);
        self.words.push(digits | mark << 10 | u16::from(same) << 12);
        self.words.extend(if same { &live[..live.len().min(1)] } else { &live[..] });
        self.known.insert((mark, children), node);
        node
    }
}

fn main_languages(region: &Metadata) -> Vec<Language> {
    let digits_max = DIGITS_MAX - region.country_code().to_string().len();
    let all = region.descriptors();
    let of = |descriptor: &Descriptor, mark| {
        let lengths = match descriptor.possible_length() {
            [] => all.general().possible_length(),
            own => own,
        };
        let lengths = lengths.iter().copied().filter(|&length| usize::from(length) <= digits_max).collect();
        Language::new(descriptor.national_number().as_str(), Some(lengths), mark)
    };
    let placed = [all.fixed_line(), all.mobile()];
    let other = [
        all.toll_free(),
        all.premium_rate(),
        all.shared_cost(),
        all.personal_number(),
        all.voip(),
        all.pager(),
        all.uan(),
        all.voicemail(),
    ];
    let placed = placed.into_iter().flatten().map(|descriptor| of(descriptor, 2));
    placed.chain(other.into_iter().flatten().map(|descriptor| of(descriptor, 1))).collect()
}

/// What an expression of prefixes says once the parts that only dialling machines need are gone:
/// how a number starts at home, and short local numbers with the area that completes them.
struct Home {
    prefix: Option<String>,
    local: Option<String>,
    area: String,
}

fn home(region: &Metadata) -> Home {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let parsing = region.national_prefix_for_parsing().map(|regex| bare(regex.as_str()));
    let literal = region.national_prefix().map(str::to_owned);
    let (mut prefix, mut local, mut area) = (parsing.clone().or(literal), None, String::new());
    match region.national_prefix_transform_rule() {
        None => {}
        // Their rules rewrite the number; `home.rs` and the plain prefix do the same.
        Some("9$1") if region.id() == "AR" => prefix = Some("0".to_owned()),
        Some("$1") if region.id() == "GA" => prefix = Some("0".to_owned()),
        Some("$1") if region.id() == "JP" => prefix = Some("(?:(?:003768)0?)|0".to_owned()),
        Some("$2") if region.id() == "BR" => prefix = parsing.map(|text| text.replace(r"(\d{10,11})", "")),
        Some(rule) => {
            // The common shape: `(local number)$|prefix`, and the area goes in front.
            let digits =
                rule.strip_suffix("$1").filter(|area| area.bytes().all(|byte| byte.is_ascii_digit()));
            let text = parsing.unwrap_or_default();
            let (number, rest) = text.split_once('$').expect("a new shape of rule: extend this match");
            local = Some(number.to_owned());
            area = digits.expect("a new shape of rule: extend this match").to_owned();
            prefix = rest.strip_prefix('|').map(str::to_owned);
        }
    }
    Home { prefix, local, area }
}

/// All regions, those of one calling code together, the main one first.
fn regions() -> Vec<&'static Metadata> {
    let codes = 1..1_000_u16;
    let mut regions: Vec<&Metadata> = codes.filter_map(|code| DATABASE.by_code(&code)).flatten().collect();
    regions.sort_by_key(|region| (region.country_code(), !region.is_main_country_for_code(), region.id()));
    regions
}

fn generate() -> String {
    let mut nodes = Nodes::default();
    let mut rows = String::new();
    let mut codes: Vec<(u16, usize, usize)> = Vec::new();
    let mut countries: Vec<(&str, usize)> = Vec::new();
    for (index, region) in regions().into_iter().enumerate() {
        let plan = nodes.root(&main_languages(region), DIGITS_MAX);
        let mut root = |pattern: Option<String>| {
            pattern.map_or(0, |text| nodes.root(&[Language::new(&text, None, 1)], PREFIX_DIGITS_MAX))
        };
        let Home { prefix, local, area } = home(region);
        let (prefix, local) = (root(prefix), root(local));
        let abroad = root(region.international_prefix().map(|regex| regex.as_str().to_owned()));
        let leading = root(region.leading_digits().map(|regex| regex.as_str().to_owned()));
        // The plans of no country (+800 and the like) are all called 001.
        let country = if region.id() == "001" { "" } else { region.id() };
        let code = region.country_code();
        writeln!(
            rows,
            "    Region {{ country: {country:?}, code: {code}, plan: {plan}, prefix: {prefix}, local: {local}, \
             area: {area:?}, abroad: {abroad}, leading: {leading} }},"
        )
        .expect("a string takes all");
        match codes.last_mut() {
            Some((last, _, end)) if *last == code => *end = index + 1,
            _ => codes.push((code, index, index + 1)),
        }
        if !country.is_empty() {
            countries.push((country, index));
        }
    }
    countries.sort();
    let words: String = nodes.words.chunks(20).fold(String::new(), |mut lines, chunk| {
        let line: Vec<String> = chunk.iter().map(u16::to_string).collect();
        writeln!(lines, "    {},", line.join(", ")).expect("a string takes all");
        lines
    });
    format!(
        "//! Made by tests/tables.rs out of the metadata of libphonenumber (Apache-2.0), as the crate\n\
         //! `phonenumber` carries it. Don't edit.\n\n\
         use crate::plan::Region;\n\n\
         /// By calling code, the main region of each first.\n\
         pub(crate) static REGIONS: [Region; {}] = [\n{rows}];\n\n\
         /// A calling code and where its regions start and end, by code.\n\
         pub(crate) static CODES: [(u16, u8, u8); {}] = {codes:?};\n\n\
         /// A country and where its region is, by country.\n\
         pub(crate) static COUNTRIES: [(&str, u8); {}] = {countries:?};\n\n\
         /// The automata; `automaton.rs` says how a node is written.\n\
         pub(crate) static NODES: [u16; {}] = [\n{words}];\n",
        rows.lines().count(),
        codes.len(),
        countries.len(),
        nodes.words.len(),
    )
}

#[test]
fn the_tables_are_what_the_metadata_says() {
    let generated = generate();
    if std::env::var_os("PHONE_NUMBERS_WRITE").is_some() {
        std::fs::write(FILE, &generated).expect("src/ can be written");
    }
    let present = std::fs::read_to_string(FILE).expect("src/tables.rs is there");
    let same = present == generated;
    assert!(
        same,
        "src/tables.rs is out of date: run this test with PHONE_NUMBERS_WRITE=1 and look at the diff"
    );
}
