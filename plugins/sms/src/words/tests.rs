//! The rule, with few words.

use super::*;

fn of(message: &str) -> Wish {
    let words = ["STOP", "STOPP", "STOPALL", "END", "CANCEL", "OPTOUT", "AVSLUTA", "SLUTA"];
    wish(message, &words.map(str::to_owned), &["UNSTOP".to_owned(), "STARTA".to_owned()])
}

#[test]
fn short_messages_that_begin_with_a_stop_word_stop() {
    for message in [
        "STOP",
        "stop",
        " Stop. ",
        "\"STOP\"",
        "STOP!!!",
        "S.T.O.P.",
        "S T O P",
        "Stop 🙏🏽",
        "🛑 stop 🛑",
        "STOP\u{fe0f}",
        "ＳＴＯＰ",
        "𝐒𝐓𝐎𝐏",
        "ⓈⓉⓄⓅ",
        "S\u{200b}TOP",
        "\u{feff}STOP",
        "stopp tack",
        "Stop please, thanks",
        "stop,please",
        "STOP ALL",
        "Opt out",
        "OPT-OUT",
        "avsluta",
        "Sluta!\n",
        "cancel",
        "stöp",
    ] {
        assert_eq!(of(message), Wish::Stop, "{message:?}");
    }
}

#[test]
fn other_messages_that_contain_one_are_unclear() {
    for (message, word) in [
        ("please stop", "STOP"),
        ("don't stop", "STOP"),
        ("stop sending me these messages", "STOP"),
        ("Kan ni sluta skicka sms till mig", "SLUTA"),
        ("I want to opt-out of this now", "OPTOUT"),
        ("unstop or stop", "STOP"),
        ("start stop", "STOP"),
        ("end of story", "END"),
    ] {
        assert_eq!(of(message), Wish::Unclear(word.to_owned()), "{message:?}");
    }
}

#[test]
fn a_word_inside_a_word_is_another_word() {
    for message in ["", " ", "!", "👍", "weekend", "stopover", "nonstop", "stoppa", "the endless", "s top up"]
    {
        assert_eq!(of(message), Wish::Other, "{message:?}");
    }
}

#[test]
fn only_the_start_words_alone_start() {
    for message in ["START", "start", "Start!", "UNSTOP", "Starta", "ＳＴＡＲＴ", "start 👍"] {
        assert_eq!(of(message), Wish::Start, "{message:?}");
    }
    for message in ["start again please", "yes", "JA", "restart", "starta om", "start2"] {
        assert_eq!(of(message), Wish::Other, "{message:?}");
    }
}

#[test]
fn the_setting_s_words_may_be_of_any_language() {
    let words = ["ARRÊT".to_owned(), "Остановить".to_owned(), " - ".to_owned()];
    assert_eq!(wish("arre\u{302}t", &words, &[]), Wish::Stop);
    assert_eq!(wish("arret", &words, &[]), Wish::Stop);
    assert_eq!(wish("ОСТАНОВИТЬ!", &words, &[]), Wish::Stop);
    assert_eq!(wish("quit", &words, &[]), Wish::Other);
    assert_eq!(wish("-", &words, &[]), Wish::Other);
    // Also with no words at all.
    assert_eq!(wish("stop", &[], &[]), Wish::Stop);
    assert_eq!(wish("start", &[], &[]), Wish::Start);
}
