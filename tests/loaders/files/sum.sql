-- 计算每个月的总和
SELECT month, SUM(amount) FROM sales GROUP BY month;
