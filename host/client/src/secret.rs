//! The calls about secrets. A value is sent and never answered.

use super::call::{Call, Sent, percent_encoded};
use super::{Answer, Client, ClientError, List};
use samsyn_vocabulary::{Reason, SecretName};
use samsyn_wire::Secret;

impl Client {
    /// All secrets, without their values.
    pub fn secrets(&self) -> Result<List<Secret>, ClientError> {
        self.list("/v1/secrets", &[], usize::MAX)
    }

    /// Sets a secret's first value.
    pub fn set_secret(
        &self,
        name: &SecretName,
        value: &str,
        reason: Option<&Reason>,
    ) -> Result<Answer<Secret>, ClientError> {
        let mut call = Call::new("PUT", path(name, "")).reason(reason);
        call.sent = Sent::Text(value.as_bytes());
        self.call(call)
    }

    /// Names a secret whose value is a mounted file.
    pub fn name_secret(
        &self,
        name: &SecretName,
        reason: Option<&Reason>,
    ) -> Result<Answer<Secret>, ClientError> {
        let mut call = Call::new("PUT", path(name, "")).flag("mounted", true).reason(reason);
        call.sent = Sent::Text(b"");
        self.call(call)
    }

    /// Gives a secret a newer value; the one before stays in use until it is retired.
    pub fn rotate_secret(
        &self,
        name: &SecretName,
        value: &str,
        reason: Option<&Reason>,
    ) -> Result<Answer<Secret>, ClientError> {
        let mut call = Call::new("POST", path(name, "/rotate")).reason(reason);
        call.sent = Sent::Text(value.as_bytes());
        self.call(call)
    }

    /// Ends the older of a secret's two values.
    pub fn retire_secret(
        &self,
        name: &SecretName,
        reason: Option<&Reason>,
    ) -> Result<Answer<Secret>, ClientError> {
        self.call(Call::new("POST", path(name, "/retire")).reason(reason))
    }

    /// Removes a secret with all its versions.
    pub fn remove_secret(&self, name: &SecretName, reason: Option<&Reason>) -> Result<(), ClientError> {
        self.call_for_nothing(Call::new("POST", path(name, "/retire")).flag("all", true).reason(reason))
    }
}

fn path(name: &SecretName, rest: &str) -> String {
    format!("/v1/secrets/{}{rest}", percent_encoded(name.as_str()))
}
