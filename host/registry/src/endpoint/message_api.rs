//! Services whose calls send messages to people. An endpoint that reaches systems mustn't be one by mistake: a message
//! to a customer has to pass the host's checks of consent first. A list can't be complete, and whoever has a server
//! of its own can have that server send: this stops mistakes, not intent.

use samsyn_contract::calls::BaseUrl;

/// Domains of services that send e-mail, texts, chat messages or push messages, with those below them.
const DOMAINS: [&str; 58] = [
    "46elks.com",
    "airship.com",
    "api.customer.io",
    "api.line.me",
    "api.mailchimp.com",
    "mailgun.net",
    "api.postmarkapp.com",
    "api.push.apple.com",
    "api.sandbox.push.apple.com",
    "api.telegram.org",
    "africastalking.com",
    "bandwidth.com",
    "bird.com",
    "brevo.com",
    "bulksms.com",
    "cequens.com",
    "clickatell.com",
    "clicksend.com",
    "cmtelecom.com",
    "cm.com",
    "courier.com",
    "elasticemail.com",
    "esendex.com",
    "exp.host",
    "fcm.googleapis.com",
    "gatewayapi.com",
    "gmail.googleapis.com",
    "gupshup.io",
    "infobip.com",
    "kaleyra.com",
    "knock.app",
    "linkmobility.com",
    "mailersend.com",
    "mailgun.org",
    "mailjet.com",
    "mandrillapp.com",
    "messagebird.com",
    "msg91.com",
    "nexmo.com",
    "notify.windows.com",
    "novu.co",
    "onesignal.com",
    "ovh-sms.com",
    "plivo.com",
    "pushover.net",
    "resend.com",
    "sendgrid.com",
    "sendgrid.net",
    "sendinblue.com",
    "sinch.com",
    "smtp2go.com",
    "sparkpost.com",
    "telnyx.com",
    "textmagic.com",
    "twilio.com",
    "urbanairship.com",
    "vonage.com",
    "web.push.apple.com",
];

/// Services of AWS that send, as the first part of `SERVICE.REGION.amazonaws.com`.
const AWS_SERVICES: [&str; 6] = ["email", "email-smtp", "pinpoint", "sms-voice", "sns", "social-messaging"];

/// The name by which a URL's service is known to send messages.
pub(super) fn message_api(url: &BaseUrl) -> Option<&'static str> {
    let domain = url.domain()?;
    let is_below = |known: &&&str| {
        domain.strip_suffix(**known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some(known) = DOMAINS.iter().find(is_below) {
        return Some(known);
    }
    let aws = domain.strip_suffix(".amazonaws.com").or_else(|| domain.strip_suffix(".api.aws"))?;
    let first = aws.split('.').next()?;
    let first = first.strip_suffix("-fips").unwrap_or(first);
    AWS_SERVICES.iter().find(|service| **service == first).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_send_are_known_by_their_domain_and_below() {
        let known = |url: &str| message_api(&url.parse().unwrap());
        for (url, by) in [
            ("https://api.twilio.com/2010-04-01/", "twilio.com"),
            ("https://API.TWILIO.COM./", "twilio.com"),
            ("https://api.eu.sendgrid.com/", "sendgrid.com"),
            ("https://email.eu-west-1.amazonaws.com/", "email"),
            ("https://email-fips.us-east-1.amazonaws.com/", "email"),
            ("https://sns.eu-north-1.amazonaws.com/", "sns"),
            ("https://api.postmarkapp.com/", "api.postmarkapp.com"),
            ("https://api.eu.mailgun.net/", "mailgun.net"),
            ("https://rest.nexmo.com/", "nexmo.com"),
            ("https://api.nexmo.com/", "nexmo.com"),
            ("https://fcm.googleapis.com/v1/", "fcm.googleapis.com"),
            ("https://api.push.apple.com/", "api.push.apple.com"),
            ("https://rest.messagebird.com/", "messagebird.com"),
            ("https://eu.sms.api.sinch.com/", "sinch.com"),
            ("https://api.telnyx.com/v2/", "telnyx.com"),
            ("https://us1.api.mailchimp.com/3.0/", "api.mailchimp.com"),
            ("https://mandrillapp.com/api/", "mandrillapp.com"),
            ("https://api.eu.sparkpost.com/", "sparkpost.com"),
            ("https://api.plivo.com/", "plivo.com"),
            ("https://xyz.api.infobip.com/", "infobip.com"),
        ] {
            assert_eq!(known(url), Some(by), "{url}");
        }
        for url in [
            "https://api.example.com/",
            "https://nottwilio.com/",
            "https://twilio.com.example.com/",
            "https://s3.eu-north-1.amazonaws.com/",
            "https://storage.googleapis.com/",
            "https://track.customer.io/",
            "https://10.0.0.1/",
            "https://com/",
        ] {
            assert_eq!(known(url), None, "{url}");
        }
    }

    #[test]
    fn every_domain_is_written_as_urls_are() {
        for domain in DOMAINS {
            let url: BaseUrl = format!("https://{domain}/").parse().unwrap();
            assert_eq!(url.domain(), Some(domain));
            assert_eq!(DOMAINS.iter().filter(|other| **other == domain).count(), 1, "{domain}");
        }
    }
}
