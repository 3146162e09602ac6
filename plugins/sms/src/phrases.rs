//! What surrounds stop words in the languages of the default words. All of it is folded; see
//! `fold.rs`.

struct Language {
    /// Stop words that mean other things in everyday sentences.
    everyday: &'static str,
    /// Thanks, please, and what is to stop.
    companions: &'static str,
    /// Not and never. The words for no aren't among them: "stop, no more" is a stop.
    negations: &'static str,
}

const ENGLISH: Language = Language {
    // "end of story", "cancel my order"
    everyday: "end quit cancel revoke remove",
    companions: "please pls plz thanks thank you thx the these your sms mms text texts message messages msg msgs",
    negations: "not never dont don",
};
const SWEDISH: Language = Language {
    // "slut i lager" (out of stock); SLUTA (stop doing it) isn't among them
    everyday: "avsluta slut",
    companions: "tack snalla vanligen smsen meddelande meddelanden utskick reklam era",
    negations: "inte aldrig icke",
};
const FRENCH: Language = Language {
    // "arrêt de bus", "fin de semaine"
    everyday: "arret arrete arreter arretez desabonner desabonnement desinscrire desinscription annuler fin",
    companions: "merci svp stp s il vous te plait les vos ces textos",
    negations: "pas jamais",
};
const SPANISH: Language = Language {
    // "baja temporada" (low season), "alto el fuego"
    everyday: "baja alto parar cancelar detener terminar salir para pare fin",
    companions: "por favor gracias mensaje mensajes los sus",
    negations: "nunca",
};
const GERMAN: Language = Language {
    // "Ende März", "Abmelden geht nicht"
    everyday: "abmelden abmeldung abbestellen beenden ende",
    companions: "bitte danke nachricht nachrichten die diese werbung",
    negations: "nicht nie",
};
const DANISH: Language = Language {
    // "afmeld mødet" (cancel the meeting)
    everyday: "afmeld frameld ophor slut",
    companions: "tak venligst besked beskeder",
    negations: "ikke aldrig",
};
const NORWEGIAN: Language = Language {
    // "slutt på helga" (the weekend is over)
    everyday: "avmeld meldav avslutt slutt",
    companions: "takk vennligst melding meldinger",
    negations: "ikke aldri",
};
const FINNISH: Language = Language {
    // "peruuta tilaus" (cancel the order)
    everyday: "lopeta peruuta poista loppu peru",
    companions: "kiitos kiitti viesti viestit tekstiviestit mainokset",
    negations: "koskaan",
};
const DUTCH: Language = Language {
    // "einde verhaal" (end of story)
    everyday: "afmelden afmelding uitschrijven stoppen einde opzeggen uit",
    companions: "graag aub alstublieft alsjeblieft bedankt dank u je wel berichten",
    negations: "niet nooit",
};
const LANGUAGES: [Language; 9] =
    [ENGLISH, SWEDISH, FRENCH, SPANISH, GERMAN, DANISH, NORWEGIAN, FINNISH, DUTCH];

/// A wish to stop in one language and an everyday word in another, so no default: the end and
/// nice, cancel and a country, stop and for. A message of nothing else is for a person.
const DOUBTFUL_WORDS: [&str; 3] = ["fin", "peru", "para"];

/// Phrases of another meaning that begin with STOP. One is a shop with an & in its name.
const OTHER_PHRASES: [&[&str]; 11] = [
    &["stop", "by"],
    &["stop", "over"],
    &["stop", "off"],
    &["stop", "and", "go"],
    &["stop", "sign"],
    &["stop", "motion"],
    &["stop", "shop"],
    &["stop", "ou", "encore"],
    &["stop", "en", "halv"],
    &["stopp", "en", "halv"],
    &["stopp", "i"],
];

/// Whether this stop word has other uses: it stops when the message says nothing else. Any other
/// word of the setting stops a short message that begins with it.
pub(crate) fn is_everyday(word: &str) -> bool {
    LANGUAGES.iter().any(|language| language.everyday.split(' ').any(|known| known == word))
}

/// Words that change nothing, whatever the stop word.
pub(crate) fn companions() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(|language| language.companions.split(' '))
}

/// Whether the word turns a short message round: "sluta inte", "stop ikke".
pub(crate) fn is_negation(word: &str) -> bool {
    LANGUAGES.iter().any(|language| language.negations.split(' ').any(|known| known == word))
}

/// Whether the whole message is a word that is a wish to stop in some languages only.
pub(crate) fn is_doubtful(message: &str) -> bool {
    DOUBTFUL_WORDS.contains(&message)
}

/// Whether the words begin with a phrase that is no stop although its first word is.
pub(crate) fn begin_another_phrase(words: &[&str]) -> bool {
    OTHER_PHRASES.iter().any(|phrase| words.starts_with(phrase))
}
