//! Countries: the two letters of ISO 3166-1, and nothing else.

use crate::{EMPTY, No};

/// The 249 officially assigned codes, one after the other, in their order.
const CODES: &str = "\
ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCD\
CFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGF\
GGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKN\
KPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNA\
NCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSI\
SJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI\
VNVUWFWSYEYTZAZMZW";

/// The code in capitals.
pub(crate) fn country(text: &str) -> Result<&'static str, No> {
    const NO: No = ("card.country", "Give the country's two letters of ISO 3166-1, such as SE or GB.");
    let text = text.trim();
    if text.is_empty() {
        return Err(EMPTY);
    }
    codes().find(|code| code.eq_ignore_ascii_case(text)).ok_or(NO)
}

fn codes() -> impl Iterator<Item = &'static str> {
    (0..CODES.len()).step_by(2).filter_map(|at| CODES.get(at..at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_in_any_case_and_nothing_else() {
        for (text, code) in [("SE", "SE"), (" se ", "SE"), ("gb", "GB"), ("AD", "AD"), ("ZW", "ZW")] {
            assert_eq!(country(text), Ok(code));
        }
        for text in ["Sweden", "SWE", "UK", "EL", "XK", "DA", "s", "å", "46"] {
            assert_eq!(country(text).map_err(|no| no.0), Err("card.country"), "{text}");
        }
        assert_eq!(country(" ").map_err(|no| no.0), Err("card.empty"));
    }

    #[test]
    fn the_codes_are_in_order_and_no_two_are_the_same() {
        let codes: Vec<&str> = codes().collect();
        assert_eq!((codes.len(), CODES.len()), (249, 2 * 249));
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
