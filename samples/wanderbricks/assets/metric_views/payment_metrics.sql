CREATE OR REPLACE VIEW wanderbricks.payment_metrics (
  payment_status COMMENT 'status',
  method,
  paid_month     COMMENT 'month',
  country        COMMENT 'country',
  amount_total   COMMENT 'revenue',
  amount_ok      COMMENT 'amt completed',
  amount_back,
  payments       COMMENT '# payments',
  fail_rate      COMMENT 'rate'
)
WITH METRICS
LANGUAGE YAML
COMMENT 'payment KPIs (finance)'
AS $$
version: 0.1
source: >
  SELECT p.*, d.country
  FROM wanderbricks.payments AS p
  JOIN wanderbricks.bookings AS b ON b.booking_id = p.booking_id
  JOIN wanderbricks.properties AS r ON r.property_id = b.property_id
  JOIN wanderbricks.destinations AS d ON d.destination_id = r.destination_id
dimensions:
  - name: payment_status
    expr: status
  - name: method
    # the provider before Oct 2023 wrote 'Credit Card' and 'PayPal'
    expr: REPLACE(LOWER(payment_method), ' ', '_')
  - name: paid_month
    expr: CAST(DATE_TRUNC('MONTH', payment_date) AS DATE)
  - name: country
    expr: country
measures:
  - name: amount_total        # every attempt, not what we earned
    expr: SUM(amount)
  - name: amount_ok
    expr: SUM(amount) FILTER (WHERE status = 'completed')
  - name: amount_back
    expr: SUM(amount) FILTER (WHERE status = 'refunded')
  - name: payments
    expr: COUNT(*)
  - name: fail_rate
    expr: ROUND(COUNT_IF(status = 'failed') / COUNT(*), 4)
$$;
