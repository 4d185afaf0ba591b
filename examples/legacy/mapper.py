def mapper(uuid, file, js):
    info = js['info']
    return info['OS'] + '/' + info['appVersion'] + ' 1\n'
