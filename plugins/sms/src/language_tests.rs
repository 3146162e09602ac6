//! What customers write in nine languages, as whole deliveries with the settings as they are.

use samsyn_plugin::Value;
use samsyn_plugin::testing::{Host, event};

use super::Sms;

const NOON: &str = "2026-11-21T12:00:00Z";

/// What the message leads to: an opt-out, and what a person is asked to look at.
fn outcome(host: &Host, text: &str) -> (bool, bool) {
    let mut customer = host.customer();
    let run = customer.on_event::<Sms>(&event("sms.received").at(NOON).property("text", text));
    assert_eq!(run.result, Ok(()), "{text:?}");
    assert!(run.host_refusals.is_empty(), "{:?}", run.host_refusals);
    let opted_out = customer.value("sms.opted_out").and_then(Value::as_boolean) == Some(true);
    (opted_out, !run.emitted("sms.stop_suspected").is_empty())
}

#[track_caller]
fn all(messages: &[&str], expected: (bool, bool)) {
    let host = Host::from_manifest(include_str!("../plugin.toml"));
    for message in messages {
        assert_eq!(outcome(&host, message), expected, "{message:?}");
    }
}

/// Each is an opt-out.
#[track_caller]
fn stop(messages: &[&str]) {
    all(messages, (true, false));
}

/// None is an opt-out; a person looks at each.
#[track_caller]
fn suspected(messages: &[&str]) {
    all(messages, (false, true));
}

/// None is an opt-out, and none is worth anybody's time.
#[track_caller]
fn neither(messages: &[&str]) {
    all(messages, (false, false));
}

#[test]
fn a_stop_may_have_a_signature_or_a_quotation_under_it() {
    stop(&[
        "STOP\nAnna Berg",
        "STOP\n\nSkickat från min iPhone",
        "Stop.\n-- \nAnna Berg\nSolna, 070-123 45 67",
        "\n\n  stop  \nSent from my phone, please excuse my spelling",
        "STOP\n> Hi Anna! This week everything is 20% off. Reply STOP to opt out.",
        "Stopp tack!\n\n> Hej Anna, välkommen till butiken på lördag",
        "unsubscribe\r\nOn Monday Shop wrote:\r\n> Our newest offers for you",
        "🛑\nSTOP\nBo Lind i Västerås",
        "STOP\u{2028}Anna Berg i Solna",
        "STOP\u{85}Anna Berg i Solna",
        "STOP\rAnna Berg i Solna",
        "Avsluta\nMed vänlig hälsning\nAnna Berg",
        "END\nAnna Berg, Solna",
    ]);
    suspected(&[
        "Hello\nplease do not\nstop",
        "> Reply STOP to opt out\nWhen do you open?",
        "Slut på\nmjölk",
    ]);
}

#[test]
fn a_line_s_end_is_no_part_of_its_word() {
    stop(&[
        "STOP\r\n",
        "STOP\n",
        "STOP\r",
        "STOP\0",
        "STOP\0\0\0",
        "\0STOP",
        "\tSTOP\t",
        "STOP\u{a0}",
        "STOP \r\n\0",
    ]);
}

#[test]
fn a_message_of_stop_words_alone_stops_however_long() {
    stop(&[
        "STOP STOP STOP STOP",
        "stop stop stop stop stop stop!!!",
        "STOP END QUIT CANCEL UNSUBSCRIBE",
        "END\nQUIT\nCANCEL\nREVOKE",
        "stop, avsluta, sluta, avregistrera",
        "Stop. Stop. Stop. Please.",
    ]);
}

#[test]
fn words_are_found_in_any_case_and_with_or_without_their_accents() {
    stop(&[
        "ARRÊT",
        "ARRET",
        "arrêt",
        "arre\u{302}t",
        "Arrêtez",
        "arretez",
        "DÉSABONNER",
        "desabonner",
        "désinscription",
        "DESINSCRIPTION",
        "ophør",
        "OPHOR",
        "ＳＴＯＰ",
        "stöp",
        "ＡＲＲÊＴ",
    ]);
}

#[test]
fn glued_words_are_looked_at_by_a_person() {
    suspected(&[
        "Stop2End",
        "stop2quit",
        "STOP2",
        "2stop",
        "StopSMS",
        "stopstop",
        "STOPtoEND",
        "stopplease",
        "pleasestop",
        "Text Stop2End to finish",
    ]);
    neither(&[
        "stopover",
        "stoppage",
        "nonstop",
        "weekend",
        "weekend2",
        "endless",
        "bookend",
        "quitter",
        "cancelled",
    ]);
}

/// Said to senders elsewhere, and misread there.
#[test]
fn messages_from_bug_reports() {
    stop(&["Stop. Thank you ", "STOP sub", "STOP 12345", "STOP ALL", "stop!! 😡", "Unsubscribe me"]);
    suspected(&[
        "Count me in! We have got to STOP this terrible bill from passing!!",
        "please stop sending text reminders",
        "Please cancel my order!",
        "Loved “Reply STOP to opt out”",
        "When does the sale end? I work until six",
        "I can't stop playing this one, more please!",
    ]);
}

#[test]
fn english() {
    stop(&[
        "STOP",
        "Stop please, thanks",
        "opt-out",
        "UNSUB",
        "End",
        "cancel please",
        "Quit, thank you",
        "remove",
        "STOP all",
    ]);
    suspected(&[
        "end of story",
        "The end is near",
        "Cancel my order",
        "cancel appointment",
        "Please cancel my appointment on Friday",
        "Don't stop",
        "stop by tomorrow?",
        "Stop & Shop",
        "Is there a bus stop nearby",
        "quit smoking tips",
        "End of month works",
        "End?",
        "remove item 3",
    ]);
    neither(&["weekend", "When do you open?", "Thanks", "The sender", "Can you send it"]);
}

#[test]
fn swedish() {
    stop(&["Stopp", "SLUTA", "avsluta tack", "Avregistrera", "slut", "sluta skicka sms", "Stopp mvh Anna"]);
    suspected(&[
        "nu är det slut",
        "Nu är det slut!",
        "Slut för idag",
        "slut i lager?",
        "Slut?",
        "Avsluta inte ordern",
        "sluta inte",
        "Kan ni sluta skicka sms till mig",
        "när tar rean slut",
        "Det är stopp i trafiken",
    ]);
    neither(&["Stoppa in den i påsen", "Slutsåld?", "stoppur", "till slutet", "Fint, tack!"]);
    // Nice, in the Nordic countries; the end, in French and Spanish.
    suspected(&["Fin!"]);
}

#[test]
fn french() {
    stop(&[
        "STOP",
        "ARRET",
        "Arrêtez les SMS",
        "arrêt s'il vous plaît",
        "désabonnement svp",
        "Se désinscrire",
        "STOP au 36111",
    ]);
    suspected(&[
        "Arrêt de bus",
        "arrêt maladie",
        "Je suis à l'arrêt",
        "arrêter de fumer",
        "stop ou encore ?",
        "fin",
    ]);
    neither(&["fin de semaine", "Bonne fin de semaine !", "Enfin !", "c'est la fin des soldes"]);
}

#[test]
fn spanish() {
    stop(&["BAJA", "baja por favor", "Parar", "ALTO", "cancelar gracias", "Darme de baja", "dar de baja"]);
    suspected(&[
        "Baja temporada",
        "baja el precio",
        "Alto ahí",
        "alto el fuego",
        "Estoy de baja por enfermedad",
        "cancelar pedido",
        "PARA",
        "voy a parar en Madrid",
    ]);
    neither(&["fin de semana", "Buen fin de semana", "para mañana", "altos", "trabaja"]);
}

#[test]
fn german() {
    stop(&["Stopp", "STOPP bitte", "ABMELDEN", "Abmeldung bitte", "abbestellen", "ENDE", "Beenden, danke"]);
    suspected(&[
        "Ende gut, alles gut",
        "Ende März",
        "Ende des Monats",
        "Abmelden geht nicht",
        "am Ende der Straße",
        "Zug ohne Stopp",
    ]);
    neither(&["Wochenende", "Endlich!", "Stoppelfeld", "Ich sende es"]);
}

#[test]
fn danish_and_norwegian() {
    stop(&[
        "STOP tak",
        "Afmeld",
        "AFMELD venligst",
        "Frameld",
        "slut",
        "AVMELD",
        "meld av",
        "Avslutt takk",
        "SLUTT",
        "stopp vennligst",
    ]);
    suspected(&[
        "Slut med regn",
        "Afmeld mødet",
        "stop en halv",
        "stop ikke",
        "nå er det slutt",
        "Slutt på helga",
        "avslutt ordren",
        "det er slut nu",
    ]);
    neither(&["slutter", "stoppested", "Fint", "til slutningen"]);
}

#[test]
fn finnish() {
    stop(&["LOPETA", "lopeta kiitos", "Peruuta", "POISTA", "lopeta viestit"]);
    suspected(&["Peruuta tilaus", "poista tuote", "Lopeta jo nyt", "älä lopeta", "PERU"]);
    neither(&["lopetamme kello viisi", "Peru on kaunis maa", "viikonloppu"]);
}

#[test]
fn dutch() {
    stop(&[
        "STOP",
        "stoppen aub",
        "AFMELDEN",
        "Afmelding graag",
        "uitschrijven alstublieft",
        "EINDE",
        "stop dank u wel",
    ]);
    suspected(&[
        "Einde verhaal",
        "einde van de maand",
        "Uitschrijven lukt niet",
        "waar moet ik stoppen",
        "kan ik me afmelden",
    ]);
    neither(&["weekeinde", "eindelijk", "stopcontact"]);
}

#[test]
fn the_start_words_are_a_setting_beside_start() {
    let manifest = include_str!("../plugin.toml");
    let start = |host: &Host, text: &str| {
        let mut customer = host.customer();
        customer.on_event::<Sms>(&event("sms.received").at(NOON).property("text", "STOP"));
        let later = "2026-11-21T13:00:00Z";
        customer.on_event::<Sms>(&event("sms.received").at(later).property("text", text));
        customer.value("sms.opted_out").and_then(Value::as_boolean) == Some(false)
    };
    let host = Host::from_manifest(manifest);
    for text in ["START", "unstop", "Starta!", "start\r\n", "START\0", "stärt"] {
        assert!(start(&host, text), "{text:?}");
    }
    for text in
        ["start again please", "restart", "start2", "ja", "START STOP", "START\n> Reply STOP to opt out"]
    {
        assert!(!start(&host, text), "{text:?}");
    }
    let host = Host::from_manifest(manifest).setting("start_words", vec!["RÉACTIVER".to_owned()]);
    for text in ["reactiver", "Réactiver !", "START"] {
        assert!(start(&host, text), "{text:?}");
    }
    assert!(!start(&host, "starta"));
}
