-- Bookings for the weekly business review.
-- Owner: analytics@wanderbricks.example. Deployed by semantic-layer, do not edit in the workspace.
CREATE OR REPLACE VIEW wanderbricks.booking_metrics (
  booking_status,
  `Check-in month` COMMENT 'month',
  booked_month     COMMENT 'month',
  property_type    COMMENT 'type',
  destination,
  country          COMMENT 'country',
  bookings         COMMENT 'number of stays',
  gross_value      COMMENT 'revenue',
  nights,
  avg_nights       COMMENT 'ALOS',
  avg_lead_days,
  guests           COMMENT 'distinct guests',
  cancel_rate      COMMENT 'canc. rate in %'
)
WITH METRICS
LANGUAGE YAML
COMMENT 'booking KPIs'
AS $$
version: 0.1

# one row per booking, whatever its status
source: >
  SELECT b.*, LOWER(p.property_type) AS kind, d.destination, d.country
  FROM wanderbricks.bookings AS b
  JOIN wanderbricks.properties AS p ON p.property_id = b.property_id
  JOIN wanderbricks.destinations AS d ON d.destination_id = p.destination_id

dimensions:
  - name: booking_status
    expr: CASE WHEN status = 'canceled' THEN 'cancelled' ELSE status END   # old app
  - name: Check-in month
    expr: CAST(DATE_TRUNC('MONTH', check_in) AS DATE)
  - name: booked_month
    expr: CAST(DATE_TRUNC('MONTH', created_at) AS DATE)
  - name: property_type
    expr: kind
  - name: destination
    expr: destination
  - name: country
    expr: country

measures:
  # volume
  - name: bookings
    expr: COUNT(*)
  - name: gross_value
    expr: ROUND(SUM(total_amount), 2)
  - name: nights
    expr: SUM(DATEDIFF(check_out, check_in))
  # behaviour
  - name: avg_nights
    expr: ROUND(AVG(DATEDIFF(check_out, check_in)), 2)
  - name: avg_lead_days
    expr: ROUND(AVG(DATEDIFF(check_in, CAST(created_at AS DATE))), 2)
  - name: guests
    expr: SUM(guests_count)
  - name: cancel_rate
    expr: ROUND(COUNT_IF(status IN ('cancelled', 'canceled')) / COUNT(*), 4)
$$;
