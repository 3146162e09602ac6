//! Where invented people live: what names are like there, how they write their country, and
//! telephone numbers that ring nowhere.
//!
//! Numbers come only from ranges that a country's regulator keeps free for film and print, so that
//! nobody is ever called. Norway, Denmark and Finland have none: people there give no number. The
//! mobile ranges of Ofcom and Arcep are in no numbering plan, so the register would refuse them.
//!
//! | where | range | kept free by |
//! |---|---|---|
//! | US, CA | any area code, 555-0100 to 555-0199 | NANPA |
//! | GB | 020 7946 0000 to 0999, 0113 496 0000 to 0999 | Ofcom |
//! | FR | 01 99 00 00 00 to 01 99 00 99 99 | Arcep |
//! | DE | 030 23125 000 to 999 | Bundesnetzagentur |
//! | SE | 070-174 06 05 to 99, 08-465 004 00 to 99, 031-390 06 00 to 99, 040-628 04 00 to 99 | PTS |

use super::chance::Chance;

/// A country, as the generator sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// How its people write it.
    pub spellings: &'static [&'static str],
    /// Of a thousand people, how many live there.
    per_mille: u64,
    /// Given names.
    pub first_names: &'static [&'static str],
    /// Family names.
    pub last_names: &'static [&'static str],
    numbers: Numbers,
}

#[derive(Debug, PartialEq, Eq)]
enum Numbers {
    /// There is no range.
    None,
    /// These area codes, each with 555-0100 to 555-0199.
    NorthAmerican(&'static [u16]),
    /// The calling code, and ranges: digits as dialled at home without the 0, then how many digits
    /// follow, the first number and the last.
    Ranges(u16, &'static [(&'static str, usize, u64, u64)]),
}

/// A number, as it is typed at home and with its calling code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// As at home.
    pub national: String,
    /// With a plus.
    pub international: String,
}

impl Place {
    /// Somebody's place.
    pub fn pick(chance: &mut Chance) -> &'static Place {
        let mut left = chance.below(PLACES.iter().map(|place| place.per_mille).sum());
        PLACES
            .iter()
            .find(|place| {
                let here = left < place.per_mille;
                left = left.saturating_sub(place.per_mille);
                here
            })
            .unwrap_or(&PLACES[0])
    }

    /// The place's `index`-th number that rings nowhere; from the first again when all are used.
    pub fn number(&self, index: u64) -> Option<Number> {
        match self.numbers {
            Numbers::None => None,
            Numbers::NorthAmerican(areas) => {
                let index = index % (areas.len() as u64 * 100);
                // Area by area, so that neighbours in the list live apart.
                let area = areas[(index % areas.len() as u64) as usize];
                let line = 100 + index / areas.len() as u64;
                Some(Number {
                    national: format!("({area}) 555-{line:04}"),
                    international: format!("+1 {area} 555 {line:04}"),
                })
            }
            Numbers::Ranges(code, ranges) => {
                let total: u64 = ranges.iter().map(|(_, _, first, last)| last - first + 1).sum();
                let mut left = index % total;
                let range = ranges.iter().find(|(_, _, first, last)| {
                    let size = last - first + 1;
                    let here = left < size;
                    left -= if here { 0 } else { size };
                    here
                });
                range.map(|(prefix, digits, first, _)| {
                    let rest = first + left;
                    Number {
                        national: format!("0{prefix} {rest:0digits$}"),
                        international: format!("+{code} {prefix} {rest:0digits$}"),
                    }
                })
            }
        }
    }
}

const ENGLISH_FIRST: &[&str] = &[
    "Emma", "Olivia", "Ava", "Grace", "Hannah", "Ruth", "Mary Ann", "Chloe", "Maya", "Denise", "Joan",
    "Latisha", "James", "Noah", "Liam", "Marcus", "Walter", "Tyrone", "Sean", "Peter", "Luis", "Raj",
    "Kenji", "D'Andre",
];
const ENGLISH_LAST: &[&str] = &[
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "de la Cruz",
    "Martinez",
    "O'Brien",
    "Thompson",
    "Nguyen",
    "Lee",
    "McDonald",
    "Van Dyke",
    "Walker",
    "Patel",
    "Smith-Jones",
    "Washington",
    "Robinson",
    "Kim",
    "St. James",
    "Campbell",
];
const FRENCH_FIRST: &[&str] = &[
    "Camille",
    "Chloé",
    "Élodie",
    "Inès",
    "Manon",
    "Zoé",
    "Jean-Luc",
    "Hugo",
    "Théo",
    "François",
    "Rémi",
    "Louis",
];
const FRENCH_LAST: &[&str] = &[
    "Martin",
    "Bernard",
    "Dubois",
    "Lefèvre",
    "Moreau",
    "Girard",
    "de Villiers",
    "Benoît",
    "Faure",
    "Lemaître",
    "d'Aubigné",
    "Roux-Mercier",
];
const GERMAN_FIRST: &[&str] = &[
    "Anke", "Birgit", "Jana", "Käthe", "Lena", "Ursula", "Jürgen", "Lukas", "Matthias", "Sönke", "Uwe",
    "Günther",
];
const GERMAN_LAST: &[&str] = &[
    "Müller",
    "Schmidt",
    "Schröder",
    "Fischer",
    "Weiß",
    "von der Heide",
    "Krüger",
    "Becker",
    "Zimmermann",
    "Jäger",
    "Meyer-Landrut",
    "Köhler",
];
const NORDIC_FIRST: &[&str] = &[
    "Anna",
    "Åsa",
    "Elin",
    "Ingrid",
    "Karin",
    "Märta",
    "Solveig",
    "Aino",
    "Lars",
    "Björn",
    "Sven-Erik",
    "Håkan",
    "Jørgen",
    "Søren",
    "Mikko",
    "Olle",
];
const NORDIC_LAST: &[&str] = &[
    "Andersson",
    "Lindqvist",
    "Öberg",
    "Sjöström",
    "af Klint",
    "von Essen",
    "Hansen",
    "Bjørnstad",
    "Møller",
    "Dahl",
    "Mäkinen",
    "Virtanen",
    "Åkesson",
    "Holm-Nielsen",
    "Berg",
    "Nyström",
];

const PLACES: &[Place] = &[
    Place {
        code: "US",
        spellings: &["US", "USA", "United States", "U.S.A.", "us"],
        per_mille: 640,
        first_names: ENGLISH_FIRST,
        last_names: ENGLISH_LAST,
        numbers: Numbers::NorthAmerican(&[
            201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225,
            228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281,
            301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321,
            323, 325, 330, 334, 336, 337, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408,
            409, 410, 412, 413, 414, 415, 417, 419, 423, 425, 432, 434, 440, 443, 469, 478, 479, 480, 484,
            501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520, 530, 540, 541,
            551, 559, 561, 562, 563, 570, 571, 573, 574, 580, 585, 586,
        ]),
    },
    Place {
        code: "CA",
        spellings: &["CA", "Canada", "CAN"],
        per_mille: 100,
        first_names: ENGLISH_FIRST,
        last_names: ENGLISH_LAST,
        numbers: Numbers::NorthAmerican(&[
            204, 250, 289, 306, 403, 416, 418, 438, 450, 506, 514, 519, 587, 604, 613, 647, 705, 709, 778,
            780, 807, 819, 902, 905,
        ]),
    },
    Place {
        code: "FR",
        spellings: &["FR", "France", "FRA"],
        per_mille: 80,
        first_names: FRENCH_FIRST,
        last_names: FRENCH_LAST,
        numbers: Numbers::Ranges(33, &[("1 99 00", 4, 0, 9_999)]),
    },
    Place {
        code: "GB",
        spellings: &["GB", "UK", "United Kingdom", "England", "U.K."],
        per_mille: 50,
        first_names: ENGLISH_FIRST,
        last_names: ENGLISH_LAST,
        numbers: Numbers::Ranges(44, &[("20", 8, 79_460_000, 79_460_999), ("113", 7, 4_960_000, 4_960_999)]),
    },
    Place {
        code: "DE",
        spellings: &["DE", "Germany", "DEU", "Tyskland"],
        per_mille: 40,
        first_names: GERMAN_FIRST,
        last_names: GERMAN_LAST,
        numbers: Numbers::Ranges(49, &[("30", 8, 23_125_000, 23_125_999)]),
    },
    Place {
        code: "SE",
        spellings: &["SE", "Sverige", "Sweden", "swe"],
        per_mille: 25,
        first_names: NORDIC_FIRST,
        last_names: NORDIC_LAST,
        numbers: Numbers::Ranges(
            46,
            &[
                ("70", 7, 1_740_605, 1_740_699),
                ("8", 8, 46_500_400, 46_500_499),
                ("31", 7, 3_900_600, 3_900_699),
                ("40", 7, 6_280_400, 6_280_499),
            ],
        ),
    },
    Place {
        code: "NO",
        spellings: &["NO", "Norway", "Norge"],
        per_mille: 30,
        first_names: NORDIC_FIRST,
        last_names: NORDIC_LAST,
        numbers: Numbers::None,
    },
    Place {
        code: "DK",
        spellings: &["DK", "Denmark", "Danmark"],
        per_mille: 20,
        first_names: NORDIC_FIRST,
        last_names: NORDIC_LAST,
        numbers: Numbers::None,
    },
    Place {
        code: "FI",
        spellings: &["FI", "Finland", "FIN"],
        per_mille: 15,
        first_names: NORDIC_FIRST,
        last_names: NORDIC_LAST,
        numbers: Numbers::None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_shares_make_a_thousand() {
        assert_eq!(PLACES.iter().map(|place| place.per_mille).sum::<u64>(), 1_000);
    }

    #[test]
    fn numbers_are_of_their_range_and_all_different() {
        let place = |code: &str| PLACES.iter().find(|place| place.code == code).unwrap();
        assert_eq!(place("US").number(0).unwrap().international, "+1 201 555 0100");
        assert_eq!(place("GB").number(7).unwrap().national, "020 79460007");
        assert_eq!(place("SE").number(94).unwrap().international, "+46 70 1740699");
        assert_eq!(place("SE").number(95).unwrap().international, "+46 8 46500400");
        assert_eq!(place("SE").number(395), place("SE").number(0));
        assert_eq!(place("NO").number(0), None);
        for (code, count) in [("US", 12_000), ("CA", 2_400), ("GB", 2_000), ("DE", 1_000), ("FR", 10_000)] {
            let numbers: HashSet<String> =
                (0..count).map(|index| place(code).number(index).unwrap().international).collect();
            assert_eq!(numbers.len() as u64, count, "{code}");
        }
    }

    #[test]
    fn people_live_where_the_shares_say() {
        let mut chance = Chance::new(1, "places");
        let americans = (0..10_000).filter(|_| Place::pick(&mut chance).code == "US").count();
        assert!((6_200..6_600).contains(&americans), "{americans}");
    }
}
