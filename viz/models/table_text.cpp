// SPDX-License-Identifier: Apache-2.0
#include "viz/models/table_text.hpp"

#include <QStringList>

#include "reports/formats/escape.hpp"
#include "viz/data/words.hpp"

namespace attnscope::viz {
namespace {

QString escaped(const QString& text, TableFormat format) {
  const std::string bytes = text.toStdString();
  return words(format == TableFormat::csv ? reports::escape_csv(bytes) : reports::escape_markdown(bytes));
}

QString line(const QStringList& cells, TableFormat format) {
  if (format == TableFormat::csv) return cells.join(',') + '\n';
  return "| " + cells.join(QStringLiteral(" | ")) + " |\n";
}

}  // namespace

QString tableText(const QAbstractItemModel& model, TableFormat format) {
  const int columns = model.columnCount();
  QStringList cells;
  for (int c = 0; c < columns; ++c) cells.append(escaped(model.headerData(c, Qt::Horizontal).toString(), format));
  QString text = line(cells, format);
  if (format == TableFormat::markdown) text += line(QStringList(columns, QStringLiteral("---")), format);
  for (int r = 0; r < model.rowCount(); ++r) {
    cells.clear();
    for (int c = 0; c < columns; ++c) cells.append(escaped(model.index(r, c).data().toString(), format));
    text += line(cells, format);
  }
  return text;
}

}  // namespace attnscope::viz
