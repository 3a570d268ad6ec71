//! What a driver has to know about a model of printer, as data: `models.toml`, or a table of the same shape in the
//! terminal's configuration.

use serde::Deserialize;

/// A model of printer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterModel {
    /// Its name in configurations.
    pub name: String,
    /// Width of the paper roll, mm.
    pub roll_mm: u32,
    /// Dots across.
    pub dots: u32,
    /// Dots in an inch, both ways.
    pub dots_per_inch: u32,
    /// Bits per second of its serial line as it leaves the factory.
    pub baud: u32,
    /// Rows of dots that it prints in a second at its slowest; deadlines stand on it.
    pub rows_per_second_min: u32,
    /// Its text mode; none for a model that only gets pictures.
    pub text: Option<TextMode>,
    /// A sensor at the mouth; none for a model that cannot tell whether paper came out.
    pub exit_sensor: Option<ExitSensor>,
}

/// What a printer's own characters are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMode {
    /// ASCII characters in a line; a Chinese character takes the place of two.
    pub columns: u32,
    /// Dots of an ASCII character across.
    pub cell_width: u32,
    /// Dots of any character from top to bottom.
    pub cell_height: u32,
    /// Which Chinese characters its font surely has.
    pub characters: Characters,
}

/// Which characters a printer's font surely has, besides those of ASCII. Four-byte characters of GB 18030 are in
/// none of them: a name that is printed with a question mark is worse than a slow line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Characters {
    /// GB/T 2312: 6,763 Chinese characters, and its signs of rows 1 and 3.
    Gb2312,
    /// GBK, the two-byte part of GB 18030: 20,902 Chinese characters and more.
    Gbk,
}

/// How a printer is asked whether paper is in its mouth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitSensor {
    /// The question, answered in real time.
    pub request: Vec<u8>,
    /// How the answer begins.
    pub head: Vec<u8>,
    /// Bytes of the whole answer.
    pub length: usize,
    /// Which of its bytes tells, counted from 0.
    pub at: usize,
    /// The bits of that byte that are set while paper is in the mouth.
    pub mask: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Models {
    model: Vec<PrinterModel>,
}

/// Why a table of models cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no TOML of this shape.
    #[error("the table of printer models cannot be read")]
    Shape(#[from] toml::de::Error),
    /// A value is impossible.
    #[error("the printer model {name:?} has an impossible {what}")]
    Value {
        /// The model.
        name: String,
        /// The value.
        what: &'static str,
    },
}

impl PrinterModel {
    /// The models that come with the driver.
    pub fn built_in() -> Vec<PrinterModel> {
        PrinterModel::parse(include_str!("models.toml")).expect("a test reads the table that is compiled in")
    }

    /// The built-in model of this name.
    pub fn named(name: &str) -> Option<PrinterModel> {
        PrinterModel::built_in().into_iter().find(|model| model.name == name)
    }

    /// Reads a table of models.
    pub fn parse(table: &str) -> Result<Vec<PrinterModel>, ModelError> {
        let Models { model } = toml::from_str(table)?;
        for model in &model {
            model.check()?;
        }
        Ok(model)
    }

    fn check(&self) -> Result<(), ModelError> {
        let text = self.text.is_none_or(|text| {
            text.columns > 0 && text.cell_height > 0 && text.columns * text.cell_width <= self.dots
        });
        let sensor = self.exit_sensor.as_ref().is_none_or(|sensor| {
            !sensor.request.is_empty()
                && !sensor.head.is_empty()
                && (sensor.head.len()..sensor.length).contains(&sensor.at)
                && sensor.mask != 0
        });
        let checks = [
            // A raster command counts bytes of a row in 16 bits, a receipt's rows are limited elsewhere.
            ((8..=4096).contains(&self.dots), "number of dots"),
            (self.baud > 0, "speed of the line"),
            ((1..=10_000).contains(&self.rows_per_second_min), "speed of printing"),
            (text, "text mode"),
            (sensor, "exit sensor"),
        ];
        match checks.into_iter().find(|(good, _)| !good) {
            Some((_, what)) => Err(ModelError::Value { name: self.name.clone(), what }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{list, load};

    #[test]
    fn every_roll_of_the_vectors_has_a_model() {
        let vectors = load("escpos.json");
        for roll in list(&vectors, "geometry") {
            let dots = roll["dots"].as_u64().unwrap() as u32;
            let models = PrinterModel::built_in();
            let model = models.iter().find(|model| model.dots == dots).unwrap();
            assert_eq!(u64::from(model.roll_mm), roll["roll_mm"].as_u64().unwrap());
            let Some(text) = model.text else { continue };
            assert_eq!(u64::from(text.columns), roll["ascii_columns"].as_u64().unwrap());
            assert_eq!(u64::from(text.columns / 2), roll["chinese_columns"].as_u64().unwrap());
            assert_eq!(text.columns * text.cell_width, dots);
            assert_eq!(u64::from(dots / 8), roll["raster_bytes_per_row"].as_u64().unwrap());
            assert_eq!(u64::from(model.dots_per_inch), roll["dpi"].as_u64().unwrap());
        }
    }

    #[test]
    fn a_model_is_found_by_its_name_and_an_impossible_one_is_refused() {
        assert_eq!(PrinterModel::named("58mm").unwrap().dots, 384);
        assert_eq!(PrinterModel::named("a printer that nobody built"), None);
        let table = |dots: u32, columns: u32| {
            format!(
                "[[model]]\nname = \"x\"\nroll_mm = 80\ndots = {dots}\ndots_per_inch = 203\nbaud = 9600\n\
                 rows_per_second_min = 100\n\
                 text = {{ columns = {columns}, cell_width = 12, cell_height = 24, characters = \"gbk\" }}\n"
            )
        };
        assert_eq!(PrinterModel::parse(&table(576, 48)).unwrap()[0].baud, 9600);
        for (dots, columns) in [(0, 0), (576, 49), (9999, 48), (576, 0)] {
            let error = PrinterModel::parse(&table(dots, columns)).unwrap_err();
            assert!(matches!(error, ModelError::Value { .. }), "{dots} {columns}: {error}");
        }
        assert!(matches!(PrinterModel::parse("model = 3"), Err(ModelError::Shape(_))));
    }
}
