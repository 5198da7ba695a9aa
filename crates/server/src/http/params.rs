use axum::http::Uri;
use headwater_engine::ReadAt;
use headwater_types::Lsn;
use percent_encoding::percent_decode_str;

use crate::errors::ApiError;
use crate::errors::catalogue::{BAD_PARAMETER, UNKNOWN_PARAMETER};

/// The query parameters of one request. What a handler does not take is an error, so a typo never passes silently.
#[derive(Debug, Default)]
#[must_use = "call finish: it refuses parameters that nobody took"]
pub struct Params {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Params {
    /// Reads the parameters of a request's target.
    pub fn of(uri: &Uri) -> Result<Params, ApiError> {
        let query = uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let left = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Params { left: left.collect::<Result<_, ApiError>>()?, known: Vec::new() })
    }

    /// The values of a parameter that may stand more than once, in order.
    pub fn take_all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        self.left.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// The value of a parameter.
    pub fn take(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        let mut values = self.take_all(name);
        if values.len() > 1 {
            return Err(ApiError::new(
                &BAD_PARAMETER,
                format!("parameter '{name}' is given {} times", values.len()),
            ));
        }
        Ok(values.pop())
    }

    /// The value of a parameter that has a fixed list of values.
    pub fn take_choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        match choices.iter().find(|(choice, _)| *choice == value) {
            Some((_, chosen)) => Ok(Some(*chosen)),
            None => {
                let named = choices.iter().map(|(choice, _)| *choice).filter(|choice| !choice.is_empty());
                let allowed = named.collect::<Vec<_>>().join(", ");
                let message = format!("parameter '{name}' cannot be {value:?}");
                Err(ApiError::new(&BAD_PARAMETER, message).hint(format!("use one of: {allowed}")))
            }
        }
    }

    /// The value of a parameter that is `true` or `false`; `false` if it is absent.
    pub fn take_flag(&mut self, name: &'static str) -> Result<bool, ApiError> {
        let flag = self.take_choice(name, &[("true", true), ("false", false), ("", true)])?;
        Ok(flag.unwrap_or(false))
    }

    /// The value of a parameter that is a whole number.
    pub fn take_number(&mut self, name: &'static str) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let message = format!("parameter '{name}' must be a whole number, {value:?} is none");
                Err(ApiError::new(&BAD_PARAMETER, message))
            }
        }
    }

    /// The value of a parameter that is an LSN.
    pub fn take_lsn(&mut self, name: &'static str) -> Result<Option<Lsn>, ApiError> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        match value.parse() {
            Ok(number) => Ok(Some(Lsn(number))),
            Err(_) => {
                let message = format!("parameter '{name}' must be an LSN, {value:?} is not a whole number");
                Err(ApiError::new(&BAD_PARAMETER, message))
            }
        }
    }

    /// Which version is read: `min_lsn` or `at_lsn`.
    pub fn take_read_at(&mut self) -> Result<ReadAt, ApiError> {
        match (self.take_lsn("min_lsn")?, self.take_lsn("at_lsn")?) {
            (None, None) => Ok(ReadAt::Newest),
            (Some(lsn), None) => Ok(ReadAt::AtLeast(lsn)),
            (None, Some(lsn)) => Ok(ReadAt::Exactly(lsn)),
            (Some(_), Some(_)) => {
                let message = "parameters 'min_lsn' and 'at_lsn' do not go together";
                Err(ApiError::new(&BAD_PARAMETER, message).hint("at_lsn waits for its LSN by itself"))
            }
        }
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), ApiError> {
        let Some((name, _)) = self.left.first() else { return Ok(()) };
        let error = ApiError::new(&UNKNOWN_PARAMETER, format!("parameter '{name}' is not known here"));
        Err(error.hint(match self.known.as_slice() {
            [] => "this request takes no parameters".to_owned(),
            known => format!("known here: {}", known.join(", ")),
        }))
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(ApiError::new(&BAD_PARAMETER, "a parameter is not percent-encoded UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(target: &str) -> Params {
        Params::of(&target.parse().unwrap()).unwrap()
    }

    #[test]
    fn values_are_decoded() {
        let mut params = params("/q?q=SELECT+1%2B1&min_lsn=7");
        assert_eq!(params.take("q").unwrap().as_deref(), Some("SELECT 1+1"));
        assert_eq!(params.take_lsn("min_lsn").unwrap(), Some(Lsn(7)));
        params.finish().unwrap();
    }

    #[test]
    fn what_nobody_took_is_refused_and_the_known_are_named() {
        let mut params = params("/q?on_eror=skip");
        params.take("on_error").unwrap();
        let error = params.finish().unwrap_err();
        assert_eq!(error.code(), "unknown_parameter");
        assert_eq!(error.hint_text(), Some("known here: on_error"));
    }

    #[test]
    fn a_second_value_is_refused() {
        assert_eq!(params("/q?a=1&a=2").take("a").unwrap_err().code(), "bad_parameter");
    }

    #[test]
    fn a_value_outside_the_list_is_refused_with_the_list() {
        let error = params("/q?op=replace").take_choice("op", &[("insert", 1), ("upsert", 2)]).unwrap_err();
        assert_eq!(error.hint_text(), Some("use one of: insert, upsert"));
    }
}
