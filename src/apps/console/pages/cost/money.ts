/** Amounts of a currency, with as many places as they need. What is less than a ten-thousandth is not worth more words. */
export const money = (value: number, currency: string): string => {
  const text = value === 0 ? '0' : Math.abs(value) < 0.0001 ? '< 0.0001' : Math.abs(value) < 0.01 ? value.toFixed(4) : value.toFixed(2)
  return `${text} ${currency}`
}
