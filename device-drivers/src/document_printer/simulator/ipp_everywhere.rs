//! What an IPP Everywhere printer says about itself besides (PWG 5100.12 §6.2, 5100.14 §5.2): one tray of A4, black on
//! white, 600 dots an inch. What a host cannot change here is said with one value; overrides and finishings are names
//! alone, as the standard wants them to be said.

use std::collections::BTreeMap;

use ipp::parser::IppParseError;
use ipp::value::{IppDateTime, IppName, IppValue};

use super::ipp_attributes::Group;
use super::machine::SimulatedDocumentPrinter;
use crate::document_printer::protocol::request::A4;

/// A4 in hundredths of a millimetre (PWG 5100.3 §3.13).
const WIDTH: i32 = 21_000;
const LENGTH: i32 = 29_700;
/// What cannot be printed on at each edge, in the same.
const MARGIN: i32 = 423;
/// `dpi` of a resolution (RFC 8010 §3.9).
const DOTS_PER_INCH: i8 = 3;
/// `printer-uuid`; all simulated printers are one.
const UUID: &str = "urn:uuid:99000100-0000-4000-8000-000000000001";

fn keyword(word: &str) -> Result<IppValue, IppParseError> {
    IppValue::new_keyword(word)
}

fn keywords(words: &[&str]) -> Result<IppValue, IppParseError> {
    Ok(IppValue::Array(words.iter().map(|word| keyword(word)).collect::<Result<_, _>>()?))
}

fn text(words: &str) -> Result<IppValue, IppParseError> {
    IppValue::new_text_without_language(words)
}

fn collection<const N: usize>(members: [(&str, IppValue); N]) -> Result<IppValue, IppParseError> {
    let members = members.into_iter().map(|(name, value)| Ok((IppName::new(name)?, value)));
    Ok(IppValue::Collection(members.collect::<Result<BTreeMap<_, _>, IppParseError>>()?))
}

fn resolution() -> IppValue {
    IppValue::Resolution { cross_feed: 600, feed: 600, units: DOTS_PER_INCH }
}

/// The moment it was switched on, as it says: a printer without a clock that was set.
fn first_day() -> IppValue {
    IppValue::DateTime(IppDateTime {
        year: 2000,
        month: 1,
        day: 1,
        hour: 0,
        minutes: 0,
        seconds: 0,
        deci_seconds: 0,
        utc_dir: '+',
        utc_hours: 0,
        utc_mins: 0,
    })
}

pub(super) fn describe(
    group: &mut Group<'_>,
    machine: &SimulatedDocumentPrinter,
    uri: &str,
) -> Result<(), IppParseError> {
    job_template(group)?;
    media(group)?;
    raster(group)?;
    the_printer_itself(group, machine, uri)
}

fn job_template(group: &mut Group<'_>) -> Result<(), IppParseError> {
    group.put("copies-default", IppValue::Integer(1))?;
    group.put("finishings-default", IppValue::Enum(3))?;
    group.put("finishings-supported", IppValue::Enum(3))?;
    group.put("orientation-requested-default", IppValue::Enum(3))?;
    group.put("orientation-requested-supported", IppValue::Enum(3))?;
    group.put("output-bin-default", keyword("face-down")?)?;
    group.put("output-bin-supported", keyword("face-down")?)?;
    group.put("print-quality-default", IppValue::Enum(4))?;
    group.put("print-quality-supported", IppValue::Enum(4))?;
    group.put("printer-resolution-default", resolution())?;
    group.put("printer-resolution-supported", resolution())?;
    group.put("sides-default", keyword("one-sided")?)?;
    group.put("page-ranges-supported", IppValue::Boolean(true))?;
    group.put("print-color-mode-default", keyword("monochrome")?)?;
    group.put("print-color-mode-supported", keyword("monochrome")?)?;
    group.put("print-content-optimize-default", keyword("auto")?)?;
    group.put("print-content-optimize-supported", keyword("auto")?)?;
    group.put("print-rendering-intent-default", keyword("auto")?)?;
    group.put("print-rendering-intent-supported", keyword("auto")?)?;
    group.put("overrides-supported", keywords(&["document-number", "pages"])?)?;
    let asked = ["copies", "media", "page-ranges", "sides"];
    group.put("job-creation-attributes-supported", keywords(&asked)?)?;
    group.put("job-ids-supported", IppValue::Boolean(true))?;
    group.put("preferred-attributes-supported", IppValue::Boolean(false))?;
    group.put("multiple-document-jobs-supported", IppValue::Boolean(false))?;
    group.put("multiple-operation-time-out", IppValue::Integer(60))?;
    group.put("multiple-operation-time-out-action", keyword("abort-job")?)?;
    group.put("which-jobs-supported", keywords(&["completed", "not-completed"])?)
}

fn media(group: &mut Group<'_>) -> Result<(), IppParseError> {
    let size = || {
        collection([("x-dimension", IppValue::Integer(WIDTH)), ("y-dimension", IppValue::Integer(LENGTH))])
    };
    let sheet = || {
        collection([
            ("media-size", size()?),
            ("media-bottom-margin", IppValue::Integer(MARGIN)),
            ("media-left-margin", IppValue::Integer(MARGIN)),
            ("media-right-margin", IppValue::Integer(MARGIN)),
            ("media-top-margin", IppValue::Integer(MARGIN)),
            ("media-source", keyword("tray-1")?),
            ("media-type", keyword("stationery")?),
        ])
    };
    group.put("media-default", keyword(A4)?)?;
    group.put("media-ready", keyword(A4)?)?;
    group.put("media-col-default", sheet()?)?;
    group.put("media-col-ready", sheet()?)?;
    group.put_if_named("media-col-database", sheet()?)?;
    let members = ["media-size", "media-source", "media-type"];
    group.put("media-col-supported", keywords(&members)?)?;
    group.put("media-size-supported", size()?)?;
    group.put("media-source-supported", keyword("tray-1")?)?;
    group.put("media-type-supported", keyword("stationery")?)?;
    for edge in ["bottom", "left", "right", "top"] {
        group.put(&format!("media-{edge}-margin-supported"), IppValue::Integer(MARGIN))?;
    }
    Ok(())
}

fn raster(group: &mut Group<'_>) -> Result<(), IppParseError> {
    group.put("pwg-raster-document-resolution-supported", resolution())?;
    group.put("pwg-raster-document-sheet-back", keyword("normal")?)?;
    group.put("pwg-raster-document-type-supported", keywords(&["black_1", "sgray_8"])?)
}

fn the_printer_itself(
    group: &mut Group<'_>,
    machine: &SimulatedDocumentPrinter,
    uri: &str,
) -> Result<(), IppParseError> {
    let page = uri.replacen("ipp:", "http:", 1);
    let since = IppValue::Integer(machine.up_time().min(1).cast_signed());
    group.put("ipp-features-supported", keyword("ipp-everywhere")?)?;
    group.put("identify-actions-default", keyword("flash")?)?;
    group.put("identify-actions-supported", keyword("flash")?)?;
    group.put("color-supported", IppValue::Boolean(false))?;
    group.put("pages-per-minute", IppValue::Integer(20))?;
    group.put("printer-info", text("Simulated A4 printer")?)?;
    group.put("printer-location", text("on the desk")?)?;
    group.put("printer-make-and-model", text("Simulated A4 printer")?)?;
    group.put("printer-device-id", text("MFG:Simulated;MDL:A4 printer;CMD:PDF,PWGRaster,JPEG;")?)?;
    group.put("printer-organization", text("")?)?;
    group.put("printer-organizational-unit", text("")?)?;
    group.put("printer-geo-location", IppValue::new_uri("geo:0,0")?)?;
    group.put("printer-get-attributes-supported", keyword("document-format")?)?;
    group.put("printer-icons", IppValue::new_uri(format!("{page}/icon.png"))?)?;
    group.put("printer-more-info", IppValue::new_uri(page.as_str())?)?;
    group.put("printer-supply-info-uri", IppValue::new_uri(format!("{page}/supplies"))?)?;
    group.put("printer-uuid", IppValue::new_uri(UUID)?)?;
    let supply =
        "type=toner;maxcapacity=100;level=80;class=supplyThatIsConsumed;unit=percent;colorantname=black;";
    group.put("printer-supply", IppValue::OctetString(supply.as_bytes().into()))?;
    group.put("printer-supply-description", text("Black toner")?)?;
    group.put("printer-config-change-date-time", first_day())?;
    group.put("printer-config-change-time", since.clone())?;
    group.put("printer-state-change-date-time", first_day())?;
    group.put("printer-state-change-time", since)
}
