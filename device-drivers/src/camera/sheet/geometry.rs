//! Points, lines, the smallest rectangle around points, and the projection of a rectangle onto four corners.

/// A place in a picture, in pixels: x to the right, y down, whole numbers are centres of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    pub(super) fn minus(self, other: Point) -> Point {
        Point { x: self.x - other.x, y: self.y - other.y }
    }

    pub(super) fn dot(self, other: Point) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// Positive when `other` is clockwise of `self` on the screen.
    pub(super) fn cross(self, other: Point) -> f32 {
        self.x * other.y - self.y * other.x
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    pub(super) fn along(self, direction: Point, far: f32) -> Point {
        Point { x: self.x + direction.x * far, y: self.y + direction.y * far }
    }

    pub(super) fn unit(self) -> Point {
        let length = self.length().max(f32::EPSILON);
        Point { x: self.x / length, y: self.y / length }
    }
}

/// A line: a point on it and its direction, of length one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) at: Point,
    pub(super) direction: Point,
}

impl Line {
    /// How far a point is from the line.
    pub(super) fn distance(&self, point: Point) -> f32 {
        self.direction.cross(point.minus(self.at)).abs()
    }

    /// The line with the smallest squared distances to the points; `None` for fewer than two different ones.
    pub(super) fn through(points: &[Point]) -> Option<Line> {
        let count = points.len() as f32;
        let sum =
            points.iter().fold(Point { x: 0.0, y: 0.0 }, |sum, p| Point { x: sum.x + p.x, y: sum.y + p.y });
        let at = Point { x: sum.x / count, y: sum.y / count };
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for point in points {
            let off = point.minus(at);
            (xx, xy, yy) = (xx + off.x * off.x, xy + off.x * off.y, yy + off.y * off.y);
        }
        if points.len() < 2 || xx + yy <= f32::EPSILON {
            return None;
        }
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        Some(Line { at, direction: Point { x: angle.cos(), y: angle.sin() } })
    }

    /// As [`Line::through`], then once more without the points that lie far off.
    pub(super) fn through_most(points: &[Point], far: f32) -> Option<Line> {
        let first = Line::through(points)?;
        let mut distances: Vec<f32> = points.iter().map(|point| first.distance(*point)).collect();
        distances.sort_unstable_by(f32::total_cmp);
        let limit = (2.5 * distances[distances.len() / 2]).max(far);
        let near: Vec<Point> =
            points.iter().copied().filter(|point| first.distance(*point) <= limit).collect();
        Line::through(&near)
    }

    /// Where two lines meet; `None` when they hardly do.
    pub(super) fn meets(&self, other: &Line) -> Option<Point> {
        let turn = self.direction.cross(other.direction);
        if turn.abs() < 0.05 {
            return None;
        }
        let far = other.at.minus(self.at).cross(other.direction) / turn;
        Some(self.at.along(self.direction, far))
    }
}

/// The corners of the convex hull, clockwise on the screen.
pub(super) fn hull(points: &mut [Point]) -> Vec<Point> {
    points.sort_unstable_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let mut corners = chain(points.iter());
    corners.extend(chain(points.iter().rev()));
    corners
}

/// Half of a hull: the points that turn clockwise, without the last, where the other half begins.
fn chain<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Point> {
    let mut corners: Vec<Point> = Vec::new();
    for point in points {
        while let [.., a, b] = corners[..] {
            if b.minus(a).cross(point.minus(b)) > 0.0 {
                break;
            }
            corners.pop();
        }
        corners.push(*point);
    }
    corners.pop();
    corners
}

/// Twice the area inside the corners, positive when they go clockwise on the screen.
pub(super) fn doubled_area(corners: &[Point]) -> f32 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(a, b)| a.cross(*b)).sum()
}

/// The smallest rectangle around a hull, clockwise. One of its sides lies on a side of the hull.
pub(super) fn smallest_rectangle(hull: &[Point]) -> Option<[Point; 4]> {
    let mut best: Option<(f32, [Point; 4])> = None;
    for (a, b) in hull.iter().zip(hull.iter().cycle().skip(1)) {
        let right = b.minus(*a).unit();
        let down = Point { x: -right.y, y: right.x };
        let range = |axis: Point| {
            let places = hull.iter().map(|point| point.dot(axis));
            places.fold((f32::MAX, f32::MIN), |(low, high), place| (low.min(place), high.max(place)))
        };
        let ((left, far), (top, bottom)) = (range(right), range(down));
        let area = (far - left) * (bottom - top);
        if best.is_none_or(|(smallest, _)| area < smallest) {
            let origin = Point { x: 0.0, y: 0.0 };
            let corner = |x: f32, y: f32| origin.along(right, x).along(down, y);
            best = Some((
                area,
                [corner(left, top), corner(far, top), corner(far, bottom), corner(left, bottom)],
            ));
        }
    }
    best.map(|(_, corners)| corners)
}

/// The same corners, beginning with the one from which the side goes most to the right.
pub(super) fn from_top_left(corners: [Point; 4]) -> [Point; 4] {
    let rightness = |start: usize| {
        let side = corners[(start + 1) % 4].minus(corners[start]);
        side.unit().x
    };
    let first = (0..4).max_by(|a, b| rightness(*a).total_cmp(&rightness(*b))).unwrap_or(0);
    std::array::from_fn(|index| corners[(first + index) % 4])
}

/// A projection of the plane: how a flat rectangle looks from a camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography([f64; 9]);

impl Homography {
    /// The projection that takes the square with corners 0,0 – 1,0 – 1,1 – 0,1 to these corners; `None` when three
    /// of them lie on a line.
    pub fn of_square(corners: [Point; 4]) -> Option<Homography> {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners.map(|p| (f64::from(p.x), f64::from(p.y)));
        let (dx1, dy1, dx2, dy2) = (x1 - x2, y1 - y2, x3 - x2, y3 - y2);
        let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let turn = dx1 * dy2 - dx2 * dy1;
        if turn.abs() < 1e-6 {
            return None;
        }
        let (g, h) = ((sx * dy2 - dx2 * sy) / turn, (dx1 * sy - sx * dy1) / turn);
        let (a, b) = (x1 - x0 + g * x1, x3 - x0 + h * x3);
        let (d, e) = (y1 - y0 + g * y1, y3 - y0 + h * y3);
        Some(Homography([a, b, x0, d, e, y0, g, h, 1.0]))
    }

    /// The way back.
    pub fn inverse(&self) -> Homography {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        Homography([
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ])
    }

    /// Where a point goes.
    pub fn of(&self, point: Point) -> Point {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        let depth = g * x + h * y + i;
        Point { x: ((a * x + b * y + c) / depth) as f32, y: ((d * x + e * y + f) / depth) as f32 }
    }
}
